/** A link as `HostConfig.Links` has it: `/db:/web/alias`. */
export interface Link {
  /** Name of the container that is linked to: `db`. */
  target: string;
  /** A further name of it: `/web/alias`. */
  path: string;
}

export function parseLink(text: string): Link {
  const cut = text.indexOf(':');
  return { target: text.slice(1, cut), path: text.slice(cut + 1) };
}

/** Links after a container got another name, be it who links or who is linked to. */
export function renamed(links: readonly string[], oldName: string, newName: string): string[] {
  return links.map((text) => {
    const { target, path } = parseLink(text);
    const rest = path.startsWith(`/${oldName}/`) ? `/${newName}${path.slice(oldName.length + 1)}` : path;
    return `/${target === oldName ? newName : target}:${rest}`;
  });
}
