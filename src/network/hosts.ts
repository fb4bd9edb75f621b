import { shortId } from '../common/index.ts';
import type { StoredSandbox } from './store.ts';

export interface HostsEntry {
  ip: string;
  names: string[];
}

/** A link of the default bridge: `name:alias`. */
export interface Link {
  target: string;
  alias: string;
}

export function parseLink(text: string): Link {
  const [target = '', alias] = text.split(':');
  const name = target.replace(/^\//, '');
  return { target: name, alias: alias === undefined || alias === '' ? name : alias.slice(alias.lastIndexOf('/') + 1) };
}

/** `--add-host` entries; `host-gateway` stands for the machine's address on the default bridge. */
export function extraHostEntries(extraHosts: readonly string[], hostGateway: readonly string[]): HostsEntry[] {
  return extraHosts.flatMap((text) => {
    const cut = text.indexOf(':');
    const name = text.slice(0, cut);
    const ip = text.slice(cut + 1).replace(/^\[(.*)\]$/, '$1');
    return ip === 'host-gateway'
      ? hostGateway.map((address) => ({ ip: address, names: [name] }))
      : [{ ip, names: [name] }];
  });
}

/** A sandbox's own lines: each address with the host name, and with its first part if it has a domain. */
export function ownEntries(sandbox: StoredSandbox): HostsEntry[] {
  const host = sandbox.hostname === '' ? shortId(sandbox.containerId) : sandbox.hostname;
  const whole = sandbox.domainname === '' ? host : `${host}.${sandbox.domainname}`;
  const [first = whole] = whole.split('.');
  const names = first === whole ? [whole] : [whole, first];
  return sandbox.endpoints.flatMap((endpoint) =>
    [endpoint.ipv4, endpoint.ipv6].filter((text) => text !== '').map((text) => ({ ip: text.split('/')[0]!, names })),
  );
}

/** The line of a link: alias, short id and name, as Docker writes it. */
export function linkEntries(link: Link, target: StoredSandbox, networkId: string): HostsEntry[] {
  const endpoint = target.endpoints.find((candidate) => candidate.networkId === networkId);
  const names = [...new Set([link.alias, target.hostname, target.containerName].filter((name) => name !== ''))];
  return [endpoint?.ipv4, endpoint?.ipv6]
    .filter((text): text is string => text !== undefined && text !== '')
    .map((text) => ({ ip: text.split('/')[0]!, names }));
}
