import { parseGoBool } from '../common/index.ts';
import { formatAddress, formatPrefix, networkOf, parseAddress, parsePrefix } from './address.ts';
import type { PublishedRange, StoredEndpoint, StoredNetwork } from './store.ts';

/**
 * The texts of this daemon's nftables tables. What changes with networks and containers are elements of sets and maps; the
 * rules themselves never change, so a packet costs the same at the first port and the thousandth.
 */
const label = 'com.docker.network.bridge.';
export const isOff = (value: string | undefined): boolean => value !== undefined && parseGoBool(value) === false;
export const isOn = (value: string | undefined): boolean => value !== undefined && parseGoBool(value) === true;

/** Interfaces of the machine from which published ports are also reached by the container's own address. */
export const trustedInterfaces = (network: StoredNetwork): string[] =>
  (network.options[`${label}trusted_host_interfaces`] ?? '').split(':').filter((name) => name !== '');

/** How packets from outside reach a network's containers (Docker's `gateway_mode_ipv4`, `_ipv6`). */
export function gatewayMode(network: StoredNetwork, family: 4 | 6): string {
  return network.options[`${label}gateway_mode_ipv${family}`] ?? 'nat';
}

export interface TableOptions {
  name: string;
  /** Port that the companion relays IPv6 connections on; undefined while there is none. */
  relayPort?: number;
  /** Packets from outside take the relay, so that the host's input rules decide about them. */
  respectHostFirewall: boolean;
}

/**
 * On packets between neighbours that a published port led to: the bridge's own rules cannot see that. Set only where neighbours are kept
 * apart; a mark does not leave the machine, nor its network namespace.
 */
const LED = '0x08000000';

const families = [4, 6] as const;
const typeOf = (family: 4 | 6): string => (family === 4 ? 'ipv4_addr' : 'ipv6_addr');
const ip = (family: 4 | 6): string => (family === 4 ? 'ip' : 'ip6');

function sets(): string {
  const shared = ['bridges', 'internal', 'apart', 'unprotected4', 'unprotected6', 'pinged4', 'pinged6']
    .map((name) => `set ${name} { type ifname; }`)
    .concat('set same { type ifname . ifname; }')
    .concat('set linked { type ipv4_addr . ipv4_addr . inet_proto . inet_service; }');
  const each = families.flatMap((family) => {
    const address = typeOf(family);
    return [
      `set home${family} { type ${address} . ifname; flags interval; }`,
      `set masq${family} { type ${address}; flags interval; }`,
      `map snat${family} { type ${address} : ${address}; flags interval; }`,
      `map any${family} { type inet_proto . inet_service : ${address} . inet_service; }`,
      `map one${family} { type ${address} . inet_proto . inet_service : ${address} . inet_service; }`,
      `map anyrange${family} { type inet_proto . inet_service : ${address}; flags interval; }`,
      `map onerange${family} { type ${address} . inet_proto . inet_service : ${address}; flags interval; }`,
      `set routed${family} { type ${address} . inet_proto . inet_service; flags interval; }`,
      `set direct${family} { type ${address} . inet_proto . inet_service; flags interval; }`,
      `set trusted${family} { type ifname . ${address} . inet_proto . inet_service; flags interval; }`,
    ];
  });
  const relay = [
    'set relayany { type inet_proto . inet_service; flags interval; }',
    'set relayone { type ipv6_addr . inet_proto . inet_service; flags interval; }',
    'set selfany4 { type ipv4_addr . inet_proto . inet_service; flags interval; }',
    'set selfone4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval; }',
    'set selfany6 { type ipv6_addr . inet_proto . inet_service; flags interval; }',
    'set selfone6 { type ipv6_addr . ipv6_addr . inet_proto . inet_service; flags interval; }',
  ];
  return [...shared, ...each, ...relay].map((line) => `  ${line}`).join('\n');
}

function translation(options: TableOptions): string {
  const port = options.relayPort;
  // A container's connection to its own published port would have the same source and destination, which the kernel does not route.
  const own =
    port === undefined
      ? []
      : families.flatMap((family) => [
          ...(family === 6
            ? [`    meta l4proto tcp ip6 daddr ::1 meta l4proto . th dport @relayany redirect to :${port}`]
            : []),
          `    meta l4proto tcp ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto . th dport @selfone${family} redirect to :${port}`,
          `    meta l4proto tcp ${ip(family)} saddr . meta l4proto . th dport @selfany${family} fib daddr type local redirect to :${port}`,
        ]);
  const lines = families.flatMap((family) => [
    `    dnat ${ip(family)} to ${ip(family)} daddr . meta l4proto . th dport map @one${family}`,
    `    dnat ${ip(family)} to ${ip(family)} daddr . meta l4proto . th dport map @onerange${family}`,
    `    fib daddr type local dnat ${ip(family)} to meta l4proto . th dport map @any${family}`,
    `    fib daddr type local dnat ${ip(family)} to meta l4proto . th dport map @anyrange${family}`,
  ]);
  if (port !== undefined)
    lines.push(
      `    meta l4proto tcp ip6 daddr . meta l4proto . th dport @relayone redirect to :${port}`,
      `    meta nfproto ipv6 meta l4proto tcp fib daddr type local meta l4proto . th dport @relayany redirect to :${port}`,
    );
  return [...own, ...lines].join('\n');
}

/** The empty tables: applied as one transaction that replaces what is there. */
export function tableText(options: TableOptions): string {
  const { name } = options;
  return `
add table inet ${name}
delete table inet ${name}
add table bridge ${name}
delete table bridge ${name}
table inet ${name} {
${sets()}
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    # route_localnet lets the machine reach containers from 127.0.0.1; it must not let containers reach the machine's loopback.
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain publish {
    # Packets from ::1 never leave the machine's loopback, whatever rules say: the companion listens for these.
    meta l4proto udp ip6 daddr ::1 return
${translation(options)}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    # A neighbour may send packets for 127.0.0.1 straight to this machine: published there means published to this machine only.
    iifname != "lo" ip daddr 127.0.0.0/8 accept
    iifname != "lo" ip6 daddr ::1 accept
${options.respectHostFirewall ? '    iifname != @bridges iifname != "lo" accept\n' : ''}    jump publish
  }
  chain led {
    type filter hook prerouting priority -90; policy accept;
    # Where br_netfilter is loaded, translated packets between two ports of a bridge are bridged, not routed.
    iifname @apart ct status dnat meta mark set meta mark or ${LED}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . oifname != @home4 snat ip to ip saddr map @snat4
    ip6 saddr . oifname != @home6 snat ip6 to ip6 saddr map @snat6
    ip saddr @masq4 ip saddr . oifname != @home4 masquerade
    ip6 saddr @masq6 ip6 saddr . oifname != @home6 masquerade
    # A container that calls its own network's published port: the answer must come back through here.
    ct status dnat ip saddr . oifname @home4 masquerade
    ct status dnat ip6 saddr . oifname @home6 masquerade
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
    ip6 saddr ::1 oifname @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != @bridges oifname != @bridges accept
    iifname . oifname @same accept
    ct state established,related accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct status dnat accept
    # Where br_netfilter is loaded, frames between neighbours come by here too.
    ip saddr . ip daddr . meta l4proto . th dport @linked accept
    # From outside; other networks' containers stay apart.
    meta nfproto ipv4 iifname != @bridges oifname @unprotected4 accept
    meta nfproto ipv6 iifname != @bridges oifname @unprotected6 accept
    oifname @pinged4 meta l4proto icmp accept
    oifname @pinged6 meta l4proto icmpv6 accept
    ip daddr . meta l4proto . th dport @routed4 accept
    ip6 daddr . meta l4proto . th dport @routed6 accept
    iifname != @bridges ip daddr . meta l4proto . th dport @direct4 accept
    iifname != @bridges ip6 daddr . meta l4proto . th dport @direct6 accept
    iifname . ip daddr . meta l4proto . th dport @trusted4 accept
    iifname . ip6 daddr . meta l4proto . th dport @trusted6 accept
    oifname @bridges drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    # An internal network has no way to the machine's other addresses.
    iifname @internal ip daddr . iifname != @home4 drop
  }
}
table bridge ${name} {
  set owned4 { type ipv4_addr; }
  set owned6 { type ipv6_addr; }
  set ownedmac { type ether_addr; }
  set own4 { type ifname . ipv4_addr; }
  set own6 { type ifname . ipv6_addr; }
  set ownmac { type ifname . ether_addr; }
  set ports { type ifname; }
  set apart { type ifname; }
  set linked { type ipv4_addr . ipv4_addr . inet_proto . inet_service; }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname != @ports accept
    # Addresses that belong to the bridge or to another container may not be claimed.
    ether saddr @ownedmac iifname . ether saddr != @ownmac drop
    ip saddr @owned4 iifname . ip saddr != @own4 drop
    ip6 saddr @owned6 iifname . ip6 saddr != @own6 drop
    arp saddr ip @owned4 iifname . arp saddr ip != @own4 drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != @apart accept
    ether type arp accept
    meta mark and ${LED} != 0 accept
    ip saddr . ip daddr . meta l4proto . th dport @linked accept
    ip daddr . ip saddr . meta l4proto . th sport @linked accept
    drop
  }
}
`;
}

/** An element and the set or map it is in. Keys and values are nft text. */
export interface Element {
  family: 'inet' | 'bridge';
  set: string;
  key: string;
  value?: string;
}

const quote = (name: string): string => `"${name}"`;
const inet = (set: string, key: string, value?: string): Element => ({ family: 'inet', set, key, value });
const onBridge = (set: string, key: string): Element => ({ family: 'bridge', set, key });

/** What a bridge network brings. */
export function networkElements(network: StoredNetwork, bridgeMac: string): Element[] {
  if (network.driver !== 'bridge') return [];
  const name = quote(network.link);
  const icc = !isOff(network.options[`${label}enable_icc`]);
  const masquerade = !isOff(network.options[`${label}enable_ip_masquerade`]);
  const elements = [inet('bridges', name)];
  if (network.internal) elements.push(inet('internal', name));
  elements.push(icc ? inet('same', `${name} . ${name}`) : inet('apart', name));
  if (bridgeMac !== '') elements.push(onBridge('ownedmac', bridgeMac));
  for (const pool of network.pools) {
    const subnet = parsePrefix(pool.subnet)!;
    const { family } = subnet;
    const block = formatPrefix(networkOf(subnet));
    const mode = gatewayMode(network, family);
    elements.push(inet(`home${family}`, `${block} . ${name}`));
    if (pool.gateway !== undefined) elements.push(onBridge(`owned${family}`, pool.gateway));
    if (mode === 'nat-unprotected') elements.push(inet(`unprotected${family}`, name));
    if (mode === 'routed' && !network.internal) elements.push(inet(`pinged${family}`, name));
    if (network.internal || !masquerade || mode === 'routed') continue;
    const host = network.options[`com.docker.network.host_ipv${family}`];
    if (host === undefined) elements.push(inet(`masq${family}`, block));
    else elements.push(inet(`snat${family}`, block, host));
  }
  return elements;
}

/** What an endpoint on a bridge brings: its right to its addresses. */
export function endpointElements(endpoint: StoredEndpoint, network: StoredNetwork): Element[] {
  if (endpoint.hostIfname === '') return [];
  const port = quote(endpoint.hostIfname);
  const elements = [
    onBridge('ports', port),
    onBridge('ownedmac', endpoint.mac),
    onBridge('ownmac', `${port} . ${endpoint.mac}`),
  ];
  if (isOff(network.options[`${label}enable_icc`])) elements.push(onBridge('apart', port));
  for (const [family, text] of [
    [4, endpoint.ipv4],
    [6, endpoint.ipv6],
  ] as const) {
    const address = text.split('/')[0]!;
    if (address === '') continue;
    elements.push(onBridge(`owned${family}`, address), onBridge(`own${family}`, `${port} . ${address}`));
  }
  return elements;
}

/** What `from` may reach of `to` where neighbours are kept apart (icc=false): its exposed ports. */
export function linkElements(from: StoredEndpoint, to: StoredEndpoint, exposed: readonly string[]): Element[] {
  const [source, target] = [from.ipv4.split('/')[0]!, to.ipv4.split('/')[0]!];
  if (source === '' || target === '') return [];
  return exposed.flatMap((key) => {
    const [port, proto = 'tcp'] = key.split('/');
    const text = `${source} . ${target} . ${proto} . ${port}`;
    return [onBridge('linked', text), inet('linked', text)];
  });
}

/** Where published ports lead: the endpoint that has the default route of a family. */
export interface PublishTarget {
  /** The container's address; '' if it has none. */
  address: string;
  /** No translation: the container's own address is called. */
  routed: boolean;
  /** Routed packets from outside reach published ports by the container's own address too (`--allow-direct-routing`). */
  direct: boolean;
  /** Interfaces of the machine from which it may be called by its own address too. */
  trusted: readonly string[];
}

const span = (first: number, count: number): string => (count === 1 ? `${first}` : `${first}-${first + count - 1}`);
const familyOf = (range: PublishedRange): 4 | 6 => parseAddress(range.hostIp)!.family;

/**
 * Elements of published ports, and of ports that are only open to routed packets. A run that keeps its numbers is one interval; a shifted
 * run is an element a port.
 */
export function publishElements(
  published: readonly PublishedRange[],
  opened: readonly PublishedRange[],
  targets: Record<4 | 6, PublishTarget>,
): Element[] {
  const elements = published.flatMap((range) => {
    const target = targets[familyOf(range)];
    return target.routed ? [] : translationElements(range, target.address);
  });
  for (const family of families) {
    const { address, routed, direct, trusted } = targets[family];
    if (address === '') continue;
    const ofFamily = [...published, ...(routed ? opened : [])].filter((range) => familyOf(range) === family);
    for (const { proto, first, count } of unions(ofFamily)) {
      const key = `${address} . ${proto} . ${span(first, count)}`;
      if (routed) elements.push(inet(`routed${family}`, key));
      else if (direct) elements.push(inet(`direct${family}`, key));
      else for (const name of trusted) elements.push(inet(`trusted${family}`, `${quote(name)} . ${key}`));
    }
  }
  return elements;
}

/** The container's ports of these ranges as runs that do not overlap: sets of intervals take no others. */
function unions(ranges: readonly PublishedRange[]): { proto: string; first: number; count: number }[] {
  const runs: { proto: string; first: number; count: number }[] = [];
  const sorted = [...ranges].sort((a, b) => a.proto.localeCompare(b.proto) || a.containerPort - b.containerPort);
  for (const { proto, containerPort, count } of sorted) {
    const last = runs.at(-1);
    if (last === undefined || last.proto !== proto || containerPort > last.first + last.count)
      runs.push({ proto, first: containerPort, count });
    else last.count = Math.max(last.count, containerPort + count - last.first);
  }
  return runs;
}

function translationElements(range: PublishedRange, address: string): Element[] {
  const elements: Element[] = [];
  const host = parseAddress(range.hostIp)!;
  const { family } = host;
  const any = host.value === 0n;
  const ports = span(range.hostPort, range.count);
  const prefix = any ? '' : `${formatAddress(host)} . `;
  if (family === 6 && range.proto === 'tcp')
    elements.push(inet(any ? 'relayany' : 'relayone', `${prefix}${range.proto} . ${ports}`));
  // IPv6 on the host, none in the container: the companion carries the bytes.
  if (address === '') return elements;
  const set = any ? 'any' : 'one';
  if (range.proto === 'tcp')
    elements.push(inet(`self${set}${family}`, `${address} . ${prefix}${range.proto} . ${ports}`));
  if (range.count > 1 && range.hostPort === range.containerPort)
    elements.push(inet(`${set}range${family}`, `${prefix}${range.proto} . ${ports}`, address));
  else
    for (let offset = 0; offset < range.count; offset++)
      elements.push(
        inet(
          `${set}${family}`,
          `${prefix}${range.proto} . ${range.hostPort + offset}`,
          `${address} . ${range.containerPort + offset}`,
        ),
      );
  return elements;
}

const grouped = (elements: readonly Element[]): Map<string, string[]> => {
  const sets = new Map<string, string[]>();
  for (const element of elements) {
    const name = `${element.family} ${element.set}`;
    const text = element.value === undefined ? element.key : `${element.key} : ${element.value}`;
    const list = sets.get(name);
    if (list === undefined) sets.set(name, [text]);
    else list.push(text);
  }
  return sets;
};

const commands = (verb: 'add' | 'delete', table: string, elements: readonly Element[]): string =>
  [...grouped(elements)]
    .map(([name, texts]) => {
      const [family, set] = name.split(' ');
      return `${verb} element ${family} ${table} ${set} { ${texts.join(', ')} }\n`;
    })
    .join('');

export const addText = (table: string, elements: readonly Element[]): string => commands('add', table, elements);
/** Adding first makes deletion succeed whether the element was there or not (`destroy` needs Linux 6.3). */
export const deleteText = (table: string, elements: readonly Element[]): string =>
  commands('add', table, elements) + commands('delete', table, elements);
