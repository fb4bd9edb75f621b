import { DEFAULT_PATH } from '../../runtime/index.ts';

export interface EnvironmentParts {
  hostname: string;
  tty: boolean;
  /** Variables of links (`DB_PORT=…`). */
  links: readonly string[];
  /** `NAME=value`, the later of a name counts; a bare `NAME` takes it away. */
  given: readonly string[];
  /** Of the user in /etc/passwd: what HOME is unless something says otherwise, as the runtimes have it. */
  home: string;
}

/** What a process of a container sees, in Docker's order: what is given replaces in place (moby container/env.go, ReplaceOrAppendEnvVars). */
export function environmentOf({ hostname, tty, links, given, home }: EnvironmentParts): string[] {
  const byName = new Map<string, string>();
  const base = [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : []), ...links];
  for (const pair of [...base, ...given]) {
    const [name] = pair.split('=', 1) as [string];
    if (pair.includes('=')) byName.set(name, pair);
    else byName.delete(name);
  }
  if (!byName.has('HOME')) byName.set('HOME', `HOME=${home}`);
  return [...byName.values()];
}
