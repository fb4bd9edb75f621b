import { closeSync, openSync } from 'node:fs';
import {
  decodeAttributes,
  embedded,
  inNetworkNamespace,
  type NetlinkAttribute,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  sysError,
  u16,
  u32,
  zstr,
} from '../sys/index.ts';
import { type Address, addressBytes, addressFromBytes, lastOf, type Prefix } from './address.ts';

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_STATS64 = 23;
const IFLA_IFALIAS = 20;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;
const IFLA_IPVLAN_MODE = 1;
const IFLA_IPVLAN_FLAGS = 2;
const IFLA_VLAN_ID = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const IFF_UP = 1;
/** errno.h */
const ENODEV = 19;
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;

const afOf = (family: 4 | 6): number => (family === 4 ? AF_INET : AF_INET6);

function ifinfo(options: { family?: number; index?: number; flags?: number; change?: number }): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(options.family ?? AF_UNSPEC, 0);
  bytes.writeInt32LE(options.index ?? 0, 4);
  bytes.writeUInt32LE(options.flags ?? 0, 8);
  bytes.writeUInt32LE(options.change ?? 0, 12);
  return bytes;
}

const up = { flags: IFF_UP, change: IFF_UP };

export interface Link {
  index: number;
  name: string;
  mac: string;
  mtu: number;
  up: boolean;
  /** Index of the bridge it is a port of, or 0. */
  master: number;
  /** Index of the other end or parent, or 0. */
  parent: number;
  /** `bridge`, `veth`, `vlan` … or '' for hardware. */
  kind: string;
  alias: string;
}

export const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
export const macText = (bytes: Buffer): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
const text = (bytes: Buffer | undefined): string => bytes?.toString('utf8').replace(/\0.*$/s, '') ?? '';

function decodeLink(body: Buffer): Link & { stats: Buffer | undefined } {
  const attributes = decodeAttributes(body.subarray(16));
  const info = attributes.get(IFLA_LINKINFO);
  return {
    index: body.readInt32LE(4),
    name: text(attributes.get(IFLA_IFNAME)),
    mac: macText(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: attributes.get(IFLA_MTU)?.readUInt32LE() ?? 0,
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    master: attributes.get(IFLA_MASTER)?.readUInt32LE() ?? 0,
    parent: attributes.get(IFLA_LINK)?.readUInt32LE() ?? 0,
    kind: info === undefined ? '' : text(decodeAttributes(info).get(IFLA_INFO_KIND)),
    alias: text(attributes.get(IFLA_IFALIAS)),
    stats: attributes.get(IFLA_STATS64),
  };
}

/** What is laid into a container's namespace. */
export interface InnerLink {
  name: string;
  mac?: string;
  mtu?: number;
}

/** rtnetlink in one network namespace: links, addresses, routes. All calls are synchronous and take microseconds. */
export class Links {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** In the thread's own namespace, or in the one at `netnsPath`. */
  static open(netnsPath?: string): Links {
    if (netnsPath === undefined) return new Links(new NetlinkSocket());
    return inNetworkNamespace(netnsPath, () => new Links(new NetlinkSocket()));
  }

  close(): void {
    this.#socket.close();
  }

  #change(type: number, flags: number, header: Buffer, attributes: readonly NetlinkAttribute[], what: string): void {
    this.#socket.change([{ type, flags, header, attributes }], () => what);
  }

  list(): Link[] {
    const message: NetlinkMessage = { type: RTM_GETLINK, flags: 0, header: ifinfo({}), attributes: [] };
    return this.#socket.dump(message, 'list links').map(({ body }) => decodeLink(body));
  }

  /** undefined if there is no such link. */
  find(name: string): Link | undefined {
    try {
      return this.#get(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') return undefined;
      throw error;
    }
  }

  #get(name: string): ReturnType<typeof decodeLink> {
    const message = {
      type: RTM_GETLINK,
      flags: 0,
      header: ifinfo({}),
      attributes: [[IFLA_IFNAME, zstr(name)] as const],
    };
    return decodeLink(this.#socket.ask(message, `link ${name}`).body);
  }

  /** rx/tx counters (struct rtnl_link_stats64). */
  counters(name: string): Record<string, number> {
    const stats = this.#get(name).stats;
    const at = (index: number) => (stats === undefined ? 0 : Number(stats.readBigUInt64LE(index * 8)));
    return {
      rx_packets: at(0),
      tx_packets: at(1),
      rx_bytes: at(2),
      tx_bytes: at(3),
      rx_errors: at(4),
      tx_errors: at(5),
      rx_dropped: at(6),
      tx_dropped: at(7),
    };
  }

  createBridge(name: string, options: { mac: string; mtu?: number; alias?: string }): void {
    const attributes: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(name)],
      [IFLA_ADDRESS, macBytes(options.mac)],
      [IFLA_LINKINFO, [[IFLA_INFO_KIND, zstr('bridge')]]],
    ];
    if (options.mtu !== undefined) attributes.push([IFLA_MTU, u32(options.mtu)]);
    this.#change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfo(up), attributes, `create bridge ${name}`);
    if (options.alias !== undefined)
      this.#change(
        RTM_NEWLINK,
        0,
        ifinfo({}),
        [
          [IFLA_IFNAME, zstr(name)],
          [IFLA_IFALIAS, zstr(options.alias)],
        ],
        `alias ${name}`,
      );
  }

  /** A veth pair: one end on the bridge here and up, the other in the namespace of `netnsFd`. */
  createVeth(host: { name: string; bridge: number; mtu?: number }, inner: InnerLink, netnsFd: number): void {
    const peer: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(inner.name)],
      [IFLA_NET_NS_FD, u32(netnsFd)],
    ];
    if (inner.mac !== undefined) peer.push([IFLA_ADDRESS, macBytes(inner.mac)]);
    if (inner.mtu !== undefined) peer.push([IFLA_MTU, u32(inner.mtu)]);
    const attributes: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(host.name)],
      [IFLA_MASTER, u32(host.bridge)],
      [
        IFLA_LINKINFO,
        [
          [IFLA_INFO_KIND, zstr('veth')],
          [IFLA_INFO_DATA, [[VETH_INFO_PEER, embedded(ifinfo({}), peer)]]],
        ],
      ],
    ];
    if (host.mtu !== undefined) attributes.push([IFLA_MTU, u32(host.mtu)]);
    this.#change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfo(up), attributes, `create veth ${host.name}`);
  }

  /** A macvlan or ipvlan over `parent`, born in the namespace of `netnsFd`. Modes: linux/if_link.h. */
  createSlave(
    kind: { type: 'macvlan'; mode: number } | { type: 'ipvlan'; mode: number; flags: number },
    parent: number,
    inner: InnerLink,
    netnsFd: number,
  ): void {
    const data: NetlinkAttribute[] =
      kind.type === 'macvlan'
        ? [[IFLA_MACVLAN_MODE, u32(kind.mode)]]
        : [
            [IFLA_IPVLAN_MODE, u16(kind.mode)],
            [IFLA_IPVLAN_FLAGS, u16(kind.flags)],
          ];
    const attributes: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(inner.name)],
      [IFLA_LINK, u32(parent)],
      [IFLA_NET_NS_FD, u32(netnsFd)],
      [
        IFLA_LINKINFO,
        [
          [IFLA_INFO_KIND, zstr(kind.type)],
          [IFLA_INFO_DATA, data],
        ],
      ],
    ];
    if (inner.mac !== undefined && kind.type === 'macvlan') attributes.push([IFLA_ADDRESS, macBytes(inner.mac)]);
    if (inner.mtu !== undefined) attributes.push([IFLA_MTU, u32(inner.mtu)]);
    this.#change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfo({}), attributes, `create ${kind.type} ${inner.name}`);
  }

  createVlan(name: string, parent: number, id: number): void {
    const attributes: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(name)],
      [IFLA_LINK, u32(parent)],
      [
        IFLA_LINKINFO,
        [
          [IFLA_INFO_KIND, zstr('vlan')],
          [IFLA_INFO_DATA, [[IFLA_VLAN_ID, u16(id)]]],
        ],
      ],
    ];
    this.#change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfo(up), attributes, `create vlan ${name}`);
  }

  createDummy(name: string): void {
    const attributes: NetlinkAttribute[] = [
      [IFLA_IFNAME, zstr(name)],
      [IFLA_LINKINFO, [[IFLA_INFO_KIND, zstr('dummy')]]],
    ];
    this.#change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfo(up), attributes, `create dummy ${name}`);
  }

  setUp(index: number): void {
    this.#change(RTM_NEWLINK, 0, ifinfo({ index, ...up }), [], 'set link up');
  }
  setMtu(index: number, mtu: number): void {
    this.#change(RTM_NEWLINK, 0, ifinfo({ index }), [[IFLA_MTU, u32(mtu)]], 'set mtu');
  }

  /** Deletes a link; false if it was not there. */
  delete(name: string): boolean {
    try {
      this.#change(RTM_DELLINK, 0, ifinfo({}), [[IFLA_IFNAME, zstr(name)]], `delete ${name}`);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODEV') return false;
      throw error;
    }
  }

  /** Deletes a link on a worker thread: the kernel waits for readers of it, tens of milliseconds. Not an error if it is gone. */
  async deleteSlowly(name: string): Promise<void> {
    const message = {
      type: RTM_DELLINK,
      flags: 0,
      header: ifinfo({}),
      attributes: [[IFLA_IFNAME, zstr(name)] as const],
    };
    const code = await this.#socket.changeOnWorker(message);
    if (code !== 0 && code !== ENODEV) throw sysError(code, `delete ${name}`);
  }

  /** Deletes a link, whatever happens. */
  deleteQuietly(name: string): void {
    try {
      this.delete(name);
    } catch {
      // it goes with the namespace
    }
  }

  addAddress(index: number, address: Prefix): void {
    this.#change(
      RTM_NEWADDR,
      NLM_F_CREATE | NLM_F_REPLACE,
      ifaddr(index, address),
      addressAttributes(address),
      'add address',
    );
  }
  deleteAddress(index: number, address: Prefix): void {
    const bytes = addressBytes(address);
    this.#change(
      RTM_DELADDR,
      0,
      ifaddr(index, address),
      [
        [IFA_LOCAL, bytes],
        [IFA_ADDRESS, bytes],
      ],
      'delete address',
    );
  }

  addresses(): { index: number; address: Prefix }[] {
    const message: NetlinkMessage = { type: RTM_GETADDR, flags: 0, header: Buffer.alloc(8), attributes: [] };
    return this.#socket.dump(message, 'list addresses').flatMap(({ body }) => {
      const attributes = decodeAttributes(body.subarray(8));
      const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
      if (bytes === undefined) return [];
      return [{ index: body.readUInt32LE(4), address: { ...addressFromBytes(bytes), length: body.readUInt8(1) } }];
    });
  }

  /** A default route (`destination` undefined) or one to a block, by a gateway or straight onto the link. */
  addRoute(route: { index: number; family: 4 | 6; destination?: Prefix; gateway?: Address }): void {
    const { header, attributes } = routeMessage(route);
    this.#change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, header, attributes, 'add route');
  }
  deleteRoute(route: { index: number; family: 4 | 6; destination?: Prefix; gateway?: Address }): void {
    const { header, attributes } = routeMessage(route);
    this.#change(RTM_DELROUTE, 0, header, attributes, 'delete route');
  }

  /** Routes of the main table; a default route has length 0. */
  routes(): { destination: Prefix; gateway: Address | undefined; index: number }[] {
    const message: NetlinkMessage = { type: RTM_GETROUTE, flags: 0, header: Buffer.alloc(12), attributes: [] };
    return this.#socket.dump(message, 'list routes').flatMap(({ body }) => {
      const attributes = decodeAttributes(body.subarray(12));
      if ((attributes.get(RTA_TABLE)?.readUInt32LE() ?? body.readUInt8(4)) !== RT_TABLE_MAIN) return [];
      const family = body.readUInt8(0) === AF_INET ? 4 : 6;
      const bytes = attributes.get(RTA_DST);
      const address: Address = bytes === undefined ? { family, value: 0n } : addressFromBytes(bytes);
      const gateway = attributes.get(RTA_GATEWAY);
      return [
        {
          destination: { ...address, length: body.readUInt8(1) },
          gateway: gateway === undefined ? undefined : addressFromBytes(gateway),
          index: attributes.get(RTA_OIF)?.readUInt32LE() ?? 0,
        },
      ];
    });
  }
}

function ifaddr(index: number, address: Prefix): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(afOf(address.family), 0);
  bytes.writeUInt8(address.length, 1);
  bytes.writeUInt32LE(index, 4);
  return bytes;
}

function addressAttributes(address: Prefix): NetlinkAttribute[] {
  const bytes = addressBytes(address);
  const attributes: NetlinkAttribute[] = [
    [IFA_LOCAL, bytes],
    [IFA_ADDRESS, bytes],
  ];
  if (address.family === 4 && address.length < 31)
    attributes.push([IFA_BROADCAST, addressBytes({ family: 4, value: lastOf(address) })]);
  // Duplicate address detection would keep the address unusable for a second; the lease makes it unique already.
  if (address.family === 6) attributes.push([IFA_FLAGS, u32(IFA_F_NODAD)]);
  return attributes;
}

function routeMessage(route: { index: number; family: 4 | 6; destination?: Prefix; gateway?: Address }): {
  header: Buffer;
  attributes: NetlinkAttribute[];
} {
  const header = Buffer.alloc(12);
  header.writeUInt8(afOf(route.family), 0);
  header.writeUInt8(route.destination?.length ?? 0, 1);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(route.gateway === undefined && route.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  const attributes: NetlinkAttribute[] = [[RTA_OIF, u32(route.index)]];
  if (route.destination !== undefined) attributes.push([RTA_DST, addressBytes(route.destination)]);
  if (route.gateway !== undefined) attributes.push([RTA_GATEWAY, addressBytes(route.gateway)]);
  return { header, attributes };
}

/** Opens a namespace's file for the length of `body`. */
export function withNetnsFd<T>(path: string, body: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return body(fd);
  } finally {
    closeSync(fd);
  }
}
