import type { Prefix } from './address.ts';
import type { Links } from './links.ts';

/** Blocks that the machine routes or has addresses in; default routes do not count, nor do the interfaces in `except`. */
export function machineBlocks(links: Links, except: ReadonlySet<string>): Prefix[] {
  const skipped = new Set(
    links
      .list()
      .filter((link) => except.has(link.name))
      .map((link) => link.index),
  );
  const routes = links.routes().filter((route) => route.destination.length > 0 && !skipped.has(route.index));
  const addresses = links.addresses().filter((entry) => !skipped.has(entry.index));
  return [...routes.map((route) => route.destination), ...addresses.map((entry) => entry.address)];
}
