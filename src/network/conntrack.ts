import { decodeAttributes, NETLINK_NETFILTER, type NetlinkAttribute, NetlinkSocket } from '../sys/index.ts';
import { addressFromBytes, parseAddress } from './address.ts';
import type { PublishedRange } from './store.ts';

/**
 * Forgets UDP flows to ports whose rules have just changed. A client that keeps its source port would else go on to where its flow went
 * before: to nobody when the container comes up, to a dead address when another took over (linux/netfilter/nfnetlink_conntrack.h).
 */
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_ID = 12;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const IPPROTO_UDP = 17;
const AF_INET = 2;
const AF_INET6 = 10;
const message = (kind: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | kind;
const header = (family: number): Buffer => Buffer.from([family, 0, 0, 0]);

const covers = (range: PublishedRange, destination: Buffer, port: number): boolean => {
  const bound = parseAddress(range.hostIp);
  const address = addressFromBytes(destination);
  if (bound === undefined || bound.family !== address.family || port < range.hostPort) return false;
  return port < range.hostPort + range.count && (bound.value === 0n || bound.value === address.value);
};

/** Deletes the flows of these published UDP ports. Costs nothing if none of them is UDP. */
export function forgetUdpFlows(ranges: readonly PublishedRange[]): void {
  const udp = ranges.filter((range) => range.proto === 'udp');
  if (udp.length === 0) return;
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    for (const family of [AF_INET, AF_INET6]) {
      const flows = socket.dump(
        { type: message(IPCTNL_MSG_CT_GET), flags: 0, header: header(family), attributes: [] },
        'list flows',
      );
      for (const { body } of flows) {
        const attributes = decodeAttributes(body.subarray(4));
        const tuple = attributes.get(CTA_TUPLE_ORIG);
        if (tuple === undefined) continue;
        const parts = decodeAttributes(tuple);
        const proto = decodeAttributes(parts.get(CTA_TUPLE_PROTO) ?? Buffer.alloc(0));
        const destination = decodeAttributes(parts.get(CTA_TUPLE_IP) ?? Buffer.alloc(0)).get(
          family === AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST,
        );
        const port = proto.get(CTA_PROTO_DST_PORT)?.readUInt16BE();
        if (proto.get(CTA_PROTO_NUM)?.[0] !== IPPROTO_UDP || destination === undefined || port === undefined) continue;
        if (udp.some((range) => covers(range, destination, port)))
          remove(socket, family, tuple, attributes.get(CTA_ID));
      }
    }
  } finally {
    socket.close();
  }
}

function remove(socket: NetlinkSocket, family: number, tuple: Buffer, id: Buffer | undefined): void {
  const attributes: NetlinkAttribute[] = [[CTA_TUPLE_ORIG | NESTED, tuple]];
  if (id !== undefined) attributes.push([CTA_ID, id]);
  try {
    socket.change(
      [{ type: message(IPCTNL_MSG_CT_DELETE), flags: 0, header: header(family), attributes }],
      () => 'delete flow',
    );
  } catch {
    // It ended meanwhile.
  }
}

/** linux/netlink.h NLA_F_NESTED: the tuple is passed on as it came. */
const NESTED = 0x8000;
