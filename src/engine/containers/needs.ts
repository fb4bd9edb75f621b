import type { Container, ContainerBook } from './book.ts';
import { isContainerMode, modeTarget, networkModeOf } from './configure.ts';
import { parseLink } from './link-names.ts';
import type { ContainerRecord } from './record.ts';

/** The containers that must run for this one to start: whose namespaces it joins, and whom it is linked to. */
export function neededBy({ host }: ContainerRecord, book: ContainerBook): Container[] {
  const joined = [networkModeOf(host), host.IpcMode, host.PidMode]
    .filter((mode) => mode !== undefined && isContainerMode(mode))
    .map((mode) => modeTarget(mode!));
  const linked = (host.Links ?? []).map((text) => parseLink(text).target);
  return [...joined, ...linked].flatMap((ref) => book.find(ref) ?? []);
}
