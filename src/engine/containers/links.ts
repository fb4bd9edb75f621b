import { posix } from 'node:path';
import { conflict, internal, invalid } from '../../common/index.ts';
import type { NetworkService } from '../../network/index.ts';
import type { HostConfig } from '../../wire/index.ts';
import type { Container, ContainerBook } from './book.ts';
import { isContainerMode, isUserDefined, modeTarget, networkModeOf } from './configure.ts';
import { linkEnvironment } from './link-environment.ts';
import { parseLink } from './link-names.ts';
import type { ContainerRecord } from './record.ts';

/** Links of the default bridge (`--link db:alias`), kept in `HostConfig.Links` as Docker shows them: `/db:/web/alias`. */

/** docker/cli opts.ParseLink: a link as it was asked for, or as inspect shows it. */
function split(text: string): { ref: string; alias: string } {
  if (text === '') throw internal('empty string specified for links');
  const parts = text.split(':');
  if (parts.length > 2) throw internal(`bad format for links: ${text}`);
  const [ref = '', alias = ref] = parts;
  return parts.length === 2 && ref.startsWith('/')
    ? { ref: ref.slice(1), alias: alias.slice(alias.lastIndexOf('/') + 1) }
    : { ref, alias };
}

function target(ref: string, book: ContainerBook): Container {
  if (ref === '') throw invalid('could not get container for : invalid name or ID supplied: ""');
  let found = book.find(ref);
  // A link to one on another's network leads to the other.
  for (let mode = found && networkModeOf(found.record.host); isContainerMode(mode); ) {
    found = book.find(modeTarget(mode!));
    mode = found && networkModeOf(found.record.host);
  }
  if (found === undefined) throw invalid(`could not get container for ${ref}: No such container: ${ref}`);
  if (networkModeOf(found.record.host) === 'host')
    throw conflict(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  return found;
}

/** The links of a new container, or undefined: on user-defined networks they are the endpoint's. Throws as moby's registerLinks. */
export function resolveLinks(host: HostConfig, name: string, book: ContainerBook): string[] | undefined {
  if (isUserDefined(networkModeOf(host))) return undefined;
  const links = new Map<string, string>();
  for (const text of host.Links ?? []) {
    const { ref, alias } = split(text);
    const { name: linked } = target(ref, book);
    const path = posix.join(`/${name}`, alias);
    // Whoever has a name first keeps it, as in Docker.
    if (path.startsWith(`/${name}/`) && !links.has(path)) links.set(path, `/${linked}:${path}`);
  }
  return links.size === 0 ? undefined : [...links.values()];
}

/** Variables of links. Throws as moby's setupLinkedContainers where a linked container does not run. */
export function environmentOfLinks(record: ContainerRecord, book: ContainerBook, networks: NetworkService): string[] {
  return linksOf(record, book).flatMap(({ link, linked }) => {
    if (!linked?.running) throw internal(`Cannot link to a non running container: /${link.target} AS ${link.path}`);
    return variablesOf(link.path, linked, networks);
  });
}

/** The same for a process that joins a running container: a link whose container has stopped meanwhile is left out. */
export function environmentOfLiveLinks(
  record: ContainerRecord,
  book: ContainerBook,
  networks: NetworkService,
): string[] {
  return linksOf(record, book).flatMap(({ link, linked }) =>
    linked?.running ? variablesOf(link.path, linked, networks) : [],
  );
}

function linksOf({ endpoints, host }: ContainerRecord, book: ContainerBook) {
  if (!Object.hasOwn(endpoints, 'bridge')) return [];
  return (host.Links ?? []).map((text) => {
    const link = parseLink(text);
    return { link, linked: book.find(link.target) };
  });
}

function variablesOf(path: string, { id, record }: Container, networks: NetworkService): string[] {
  const endpoint = networks.sandbox(id)?.endpoints.bridge;
  if (endpoint === undefined) throw internal(`container ${id} not attached to default bridge network`);
  return linkEnvironment({
    path,
    address: endpoint.IPAddress,
    exposed: Object.keys(record.config.ExposedPorts ?? {}),
    env: record.config.Env ?? [],
  });
}
