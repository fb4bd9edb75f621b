import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as dnsPacket from 'dns-packet';
import { parseAddress } from '../../src/network/address.ts';
import { openServerSocket, openTcpClient, openUdpClient } from '../../src/network/netns-socket.ts';
import { becomeMachine, type OtherHost, openOutside, run, TestNetworks } from '../support/network-hosts.ts';

const SERVER = parseAddress('127.0.0.11')!;
let outside: OtherHost;
let closeOutside: () => void;
const closers: (() => void)[] = [];
/** Questions that reached the upstream server, as `transport name`. */
const asked: string[] = [];

function upstreamAnswer(message: Buffer, transport: string): Buffer {
  const query = dnsPacket.decode(message);
  const question = query.questions![0]!;
  asked.push(`${transport} ${question.name}`);
  const big = question.name.startsWith('big');
  const answers = big
    ? Array.from({ length: 60 }, (_, index) => ({
        type: 'A' as const,
        name: question.name,
        ttl: 5,
        data: `198.51.100.${index}`,
      }))
    : [{ type: 'A' as const, name: question.name, ttl: 5, data: '198.51.100.7' }];
  const truncated = big && transport === 'udp';
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (truncated ? dnsPacket.TRUNCATED_RESPONSE : 0),
    questions: query.questions ?? [],
    answers: truncated ? [] : answers,
  });
}

before(async () => {
  becomeMachine();
  ({ outside, close: closeOutside } = openOutside());
  const any = parseAddress('203.0.113.2')!;
  run('ip addr add 203.0.113.3/24 dev eth0', outside.path);
  const udp = await udpServer('203.0.113.2', (message) => upstreamAnswer(message, 'udp'));
  // A server that knows nothing: it fails or refuses, as the name says.
  const useless = await udpServer('203.0.113.3', (message) => {
    const answer = Buffer.from(message);
    answer.writeUInt16BE(message.includes('refuse') ? 0x8185 : 0x8182, 2);
    return answer;
  });
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const answer = upstreamAnswer(chunk.subarray(2), 'tcp');
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    });
  });
  await new Promise<void>((resolve) => tcp.listen({ fd: openServerSocket(outside.path, 'tcp', any, 53).fd }, resolve));
  closers.push(
    () => udp.close(),
    () => useless.close(),
    () => tcp.close(),
  );
});
after(() => {
  for (const close of closers) close();
  closeOutside();
});

/** A server of the outside host. */
async function udpServer(address: string, answer: (message: Buffer) => Buffer): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, peer) => socket.send(answer(message), peer.port, peer.address));
  const { fd } = openServerSocket(outside.path, 'udp', parseAddress(address)!, 53);
  await new Promise<void>((resolve) => socket.bind({ fd }, resolve));
  return socket;
}

type RecordType = 'A' | 'AAAA' | 'PTR' | 'TXT';

function encode(name: string, type: RecordType, edns?: number): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: 4711,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type, name }],
    additionals:
      edns === undefined
        ? []
        : [{ type: 'OPT', name: '.', udpPayloadSize: edns, flags: 0, options: [], extendedRcode: 0, ednsVersion: 0 }],
  });
}

function summary(message: Buffer): { rcode: string; answers: string[]; truncated: boolean } {
  const packet = dnsPacket.decode(message);
  assert.equal(packet.id, 4711);
  const answers = (packet.answers ?? []).map((answer) => String(answer.data ?? ''));
  return { rcode: packet.rcode, answers, truncated: packet.flag_tc };
}

/** Asks from within a container over UDP. */
function ask(
  netnsPath: string,
  name: string,
  type: RecordType = 'A',
  edns?: number,
): Promise<ReturnType<typeof summary>> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`no answer for ${name}`));
    }, 20_000);
    socket.on('message', (message) => {
      clearTimeout(timer);
      socket.close();
      resolve(summary(message));
    });
    socket.bind({ fd: openUdpClient(netnsPath, 4) }, () => socket.send(encode(name, type, edns), 53, '127.0.0.11'));
  });
}

function askTcp(netnsPath: string, name: string, type: RecordType = 'A'): Promise<ReturnType<typeof summary>> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd: openTcpClient(netnsPath, SERVER, 53), readable: true, writable: true });
    const query = encode(name, type);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    let received: Buffer = Buffer.alloc(0);
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer for ${name}`)));
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(summary(received.subarray(2)));
    });
    socket.write(Buffer.concat([length, query]));
  });
}

test('containers find each other by name, alias, short id and host name, forward and reverse, over both transports', async () => {
  await using networks = await TestNetworks.open({ dns: ['203.0.113.2'] });
  await networks.create('net', { EnableIPv6: true });
  const one = await networks.container('one', {
    networks: [['net', { Aliases: ['first', 'Uno'] }]],
    hostname: 'host-one',
  });
  const two = await networks.container('two', { networks: ['net'] });
  for (const name of ['one', 'ONE', 'first', 'uno', one.id.slice(0, 12), 'host-one', 'one.net'])
    assert.deepEqual(await ask(two.netnsPath, name), { rcode: 'NOERROR', answers: [one.ip()], truncated: false }, name);
  assert.deepEqual((await ask(two.netnsPath, 'one', 'AAAA')).answers, [one.endpoints.net!.GlobalIPv6Address]);
  assert.deepEqual(await ask(two.netnsPath, 'one', 'TXT'), { rcode: 'NOERROR', answers: [], truncated: false });
  assert.deepEqual((await askTcp(two.netnsPath, 'first')).answers, [one.ip()]);
  const reverse = `${one.ip().split('.').reverse().join('.')}.in-addr.arpa`;
  assert.deepEqual((await ask(two.netnsPath, reverse, 'PTR')).answers, ['one.net']);
  assert.match(two.resolvConf, /^nameserver 127\.0\.0\.11$/m);
  assert.match(two.resolvConf, /^options ndots:0$/m);
  await networks.net.rename(one.id, 'renamed');
  assert.deepEqual((await ask(two.netnsPath, 'renamed')).answers, [one.ip()]);
});

test('a shared alias is answered in turn, and cut only where the client cannot take more', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('net');
  const members = [];
  for (let index = 0; index < 40; index++)
    members.push(
      await networks.container(`m${index}`, { networks: [['net', { Aliases: index < 3 ? ['web', 'all'] : ['all'] }]] }),
    );
  const asker = members[39]!;
  const first = new Set<string>();
  for (let index = 0; index < 6; index++) {
    const { answers } = await ask(asker.netnsPath, 'web');
    assert.equal(answers.length, 3);
    first.add(answers[0]!);
  }
  assert.equal(first.size, 3);
  const plain = await ask(asker.netnsPath, 'all');
  assert.ok(plain.truncated && plain.answers.length < 40);
  assert.equal((await ask(asker.netnsPath, 'all', 'A', 4096)).answers.length, 40);
  assert.equal((await askTcp(asker.netnsPath, 'all')).answers.length, 40);
});

test('each of many questions at once gets its own answer, whatever it asks', async () => {
  await using networks = await TestNetworks.open({ dns: ['203.0.113.2'] });
  await networks.create('net');
  const db = await networks.container('db', { networks: ['net'] });
  const web = await networks.container('web', { networks: ['net'] });
  const kinds: { query: Buffer; expected: string }[] = [
    { query: encode('db', 'A'), expected: `NOERROR ${db.ip()}` },
    { query: encode('DB.Net', 'A', 1232), expected: `NOERROR ${db.ip()} opt` },
    { query: encode('db', 'AAAA'), expected: 'NOERROR ' },
    { query: encode(`${db.ip().split('.').reverse().join('.')}.in-addr.arpa`, 'PTR'), expected: 'NOERROR db.net' },
    { query: encode('elsewhere.example.com', 'A'), expected: 'NOERROR 198.51.100.7' },
    { query: Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 80]), expected: 'FORMERR ' },
  ];
  const expected = new Map<number, string>();
  const got = new Map<number, string>();
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ fd: openUdpClient(web.netnsPath, 4) }, resolve));
  const all = new Promise<void>((resolve) =>
    socket.on('message', (message) => {
      const { id, rcode, answers = [], additionals = [] } = dnsPacket.decode(message);
      const opt = additionals.some((record) => record.type === 'OPT') ? ' opt' : '';
      got.set(id ?? 0, `${rcode} ${answers.map((answer) => String(answer.data)).join(',')}${opt}`);
      if (got.size === 120) resolve();
    }),
  );
  for (let id = 0; id < 120; id++) {
    const kind = kinds[id % kinds.length]!;
    const query = Buffer.from(kind.query);
    query.writeUInt16BE(id, 0);
    expected.set(id, kind.expected);
    socket.send(query, 53, '127.0.0.11');
  }
  await Promise.race([all, sleep(20_000, undefined, { ref: false })]);
  socket.close();
  assert.deepEqual(
    [...got].sort(([a], [b]) => a - b),
    [...expected],
  );
});

test('names of one network are never answered to another, and a link’s alias only to who made it', async () => {
  await using networks = await TestNetworks.open({ dns: ['203.0.113.9'] });
  for (const name of ['a', 'b', 'c']) await networks.create(name, { Internal: true });
  const db = await networks.container('db', { networks: ['b', 'c'] });
  const web = await networks.container('web', { networks: ['a', ['b', { Links: ['db:store'] }]] });
  const other = await networks.container('other', { networks: ['a'] });
  assert.deepEqual((await ask(web.netnsPath, 'store')).answers, [db.ip('b')]);
  assert.deepEqual((await ask(db.netnsPath, 'web')).answers, [web.ip('b')]);
  assert.deepEqual((await ask(other.netnsPath, 'web')).answers, [web.ip('a')]);
  for (const name of ['db', 'store', 'db.b']) assert.equal((await ask(other.netnsPath, name)).rcode, 'SERVFAIL', name);
  await networks.net.connect(other.id, { network: 'c', settings: {} as never });
  assert.deepEqual((await ask(other.netnsPath, 'db')).answers, [db.ip('c')]);
  await networks.net.disconnect(other.id, 'c');
  assert.equal((await ask(other.netnsPath, 'db')).rcode, 'SERVFAIL');
});

test('other names go upstream: the next server where one is silent, fails or refuses, TCP where the answer was cut', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('net');
  const one = await networks.container('one', {
    networks: ['net'],
    dns: { servers: ['203.0.113.77', '203.0.113.2'], search: ['example.org'], options: ['ndots:2'] },
  });
  const dns = { search: [], options: [] };
  const two = await networks.container('two', {
    networks: ['net'],
    dns: { ...dns, servers: ['203.0.113.3', '203.0.113.2'] },
  });
  const useless = await networks.container('useless', {
    networks: ['net'],
    dns: { ...dns, servers: ['203.0.113.3'] },
  });
  asked.length = 0;
  assert.deepEqual((await ask(one.netnsPath, 'www.example.com')).answers, ['198.51.100.7']);
  assert.deepEqual(asked, ['udp www.example.com']);
  assert.ok((await ask(one.netnsPath, 'big.example.com')).truncated);
  assert.equal((await askTcp(one.netnsPath, 'big.example.com')).answers.length, 60);
  for (const name of ['fail.example.com', 'refuse.example.com'])
    assert.deepEqual((await ask(two.netnsPath, name)).answers, ['198.51.100.7'], name);
  assert.equal((await ask(useless.netnsPath, 'refuse.example.com')).rcode, 'SERVFAIL');
  assert.match(one.resolvConf, /^search example\.org$/m);
  assert.match(one.resolvConf, /^options ndots:2$/m);
});

test('the default bridge has no name service: the file names the upstream servers themselves', async () => {
  await using networks = await TestNetworks.open({ dns: ['203.0.113.2'], dnsSearch: ['corp.example'] });
  const one = await networks.container('one');
  assert.match(one.resolvConf, /^nameserver 203\.0\.113\.2\nsearch corp\.example$/m);
  assert.equal(one.endpoints.bridge!.DNSNames, null);
});

test('a daemon that was killed finds its containers’ names, ports and addresses as they were, and cleans up after the others', async () => {
  await using networks = await TestNetworks.open({ dns: ['203.0.113.2'] });
  await networks.create('net');
  const stays = await networks.container('stays', {
    networks: ['net'],
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
  });
  const asker = await networks.container('asker', { networks: ['net'] });
  const died = await networks.container('died', {
    networks: ['net'],
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8081' }] },
  });
  await networks.abandon();
  assert.deepEqual((await ask(asker.netnsPath, 'stays')).answers, [stays.ip()]);
  await networks.start((id) => id !== died.id);
  assert.deepEqual(networks.net.sandbox(stays.id)?.endpoints, stays.endpoints);
  assert.deepEqual((await ask(asker.netnsPath, 'stays')).answers, [stays.ip()]);
  assert.equal((await ask(asker.netnsPath, 'died')).answers[0], '198.51.100.7');
  const next = await networks.container('next', {
    networks: ['net'],
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8081' }] },
  });
  assert.equal(next.ip(), died.ip());
  await assert.rejects(
    networks.container('late', { networks: ['net'], ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } }),
    {
      message: /port is already allocated$/,
    },
  );
});
