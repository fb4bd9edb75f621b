import type { Call } from './call.ts';

export interface Route {
  method: string;
  pattern: string;
  /** May leave HTTP (`Call.hijack`): Node's parser stops behind such a request. */
  hijack?: boolean;
  handle(call: Call): Promise<void> | void;
}

export const route = (method: string, pattern: string, handle: Route['handle']): Route => ({ method, pattern, handle });

export interface Match {
  route: Route;
  /** `1.45` of `/v1.45/…`. */
  version: string | undefined;
  params: Record<string, string>;
}

/**
 * Matches as moby's router does: patterns in order over the decoded path, `{name}` for one segment and `{name...}` for any
 * number, because names of images and networks hold slashes; the version prefix is optional.
 */
export class Router {
  readonly #routes: { route: Route; expression: RegExp; names: string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((entry) => {
      const names: string[] = [];
      const source = entry.pattern.replace(/\{(\w+)(\.\.\.)?\}/g, (_, name: string, rest: string | undefined) => {
        names.push(name);
        return rest === undefined ? '([^/]+)' : '(.*)';
      });
      return { route: entry, expression: new RegExp(`^(?:/v([0-9.]+))?${source}$`), names };
    });
  }

  /** undefined: page not found. */
  find(method: string, path: string): Match | undefined {
    for (const { route: found, expression, names } of this.#routes) {
      if (found.method !== method) continue;
      const match = expression.exec(path);
      if (match === null) continue;
      return {
        route: found,
        version: match[1],
        params: Object.fromEntries(names.map((name, at) => [name, match[at + 2] ?? ''])),
      };
    }
    return undefined;
  }
}
