import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  becomeMachine,
  type OtherHost,
  openOutside,
  TestNetworks,
  tcpCall,
  tcpServer,
  udpCall,
  udpServer,
  type Wish,
} from '../support/network-hosts.ts';

/** What reaches a container by which way, under each of Docker's gateway modes; expectations are what dockerd 28.5 does. */
const NEVER_MS = 1500;
const BRIDGE = 'com.docker.network.bridge.';
const PUBLISHED: Wish['ports'] = { '80/tcp': [{ HostIp: '', HostPort: '7080' }] };

const execute = promisify(execFile);
let outside: OtherHost;
let closeOutside: () => void;

before(() => {
  becomeMachine();
  ({ outside, close: closeOutside } = openOutside());
});
after(() => {
  closeOutside();
});

type Container = Awaited<ReturnType<TestNetworks['container']>>;

/** Servers on ports 80 (published) and 81 (not) of a container, over both families. */
async function serve(container: Container): Promise<AsyncDisposable> {
  const servers = await Promise.all([80, 81].map((port) => tcpServer(container.netnsPath, port, { address: '::' })));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.close();
    },
  };
}

async function answersPing(from: string | undefined, address: string): Promise<boolean> {
  const into = from === undefined ? [] : [`--net=${from}`];
  const ping = ['busybox', 'ping', address.includes(':') ? '-6' : '-4', '-c', '1', '-W', '1', address];
  return execute('nsenter', [...into, ...ping]).then(
    () => true,
    () => false,
  );
}

/** How a container is reached by its own addresses: [published, unpublished, ping] for IPv4 and IPv6. */
async function reach(from: string | undefined, container: Container): Promise<string[]> {
  const { IPAddress, GlobalIPv6Address } = container.endpoints.net!;
  const addresses = [IPAddress, GlobalIPv6Address].filter((address) => address !== '');
  return Promise.all(
    addresses.map(async (address) => {
      const ways = await Promise.all([
        ...[80, 81].map(async (port) => (await tcpCall(from, address, port, NEVER_MS)).startsWith('hello')),
        answersPing(from, address),
      ]);
      return ways.map((way) => (way ? 'yes' : 'no')).join(' ');
    }),
  );
}

async function scene(
  networks: TestNetworks,
  body: Record<string, unknown>,
): Promise<{ server: Container; stranger: Container }> {
  await networks.create('net', { EnableIPv6: true, ...body });
  await networks.create('other', { EnableIPv6: true });
  const server = await networks.container('server', { networks: ['net'], ports: PUBLISHED });
  return { server, stranger: await networks.container('stranger', { networks: ['other'] }) };
}

const both = (mode: string) => ({
  [`${BRIDGE}gateway_mode_ipv4`]: mode,
  [`${BRIDGE}gateway_mode_ipv6`]: mode,
});

test('nat-unprotected: outside reaches every port by the container’s address, other networks none', async () => {
  await using networks = await TestNetworks.open();
  const { server, stranger } = await scene(networks, { Options: both('nat-unprotected') });
  await using _ = await serve(server);
  assert.deepEqual(await reach(outside.path, server), ['yes yes yes', 'yes yes yes']);
  assert.deepEqual(await reach(stranger.netnsPath, server), ['no no no', 'no no no']);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 7080), /^hello (::ffff:)?203\.0\.113\.2$/);
});

test('allow-direct-routing: outside reaches published ports by the container’s own address, other networks do not', async () => {
  await using networks = await TestNetworks.open({ allowDirectRouting: true });
  const { server, stranger } = await scene(networks, {});
  await using _ = await serve(server);
  assert.deepEqual(await reach(outside.path, server), ['yes no no', 'yes no no']);
  assert.deepEqual(await reach(stranger.netnsPath, server), ['no no no', 'no no no']);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 7080), /^hello (::ffff:)?203\.0\.113\.2$/);
});

test('routed: published ports and ping by the container’s own address, no port of the machine, no translation', async () => {
  await using networks = await TestNetworks.open();
  const { server, stranger } = await scene(networks, { Options: both('routed') });
  await using _ = await serve(server);
  assert.deepEqual(await reach(outside.path, server), ['yes no yes', 'yes no yes']);
  assert.deepEqual(await reach(stranger.netnsPath, server), ['yes no yes', 'yes no yes']);
  assert.deepEqual(server.ports['80/tcp'], [
    { HostIp: '0.0.0.0', HostPort: '' },
    { HostIp: '::', HostPort: '' },
  ]);
  for (const address of ['203.0.113.1', 'fd99::1']) assert.equal(await tcpCall(outside.path, address, 7080), 'refused');
  const listener = await tcpServer(outside.path, 81);
  assert.equal(await tcpCall(server.netnsPath, '203.0.113.2', 81), `hello ${server.ip()}`);
  listener.close();
  // The port is nobody's, so another container may publish it.
  const second = await networks.container('second', { networks: ['other'], ports: PUBLISHED });
  assert.equal(second.ports['80/tcp']![0]!.HostPort, '7080');
});

test('routed for one family only: the other is published as ever', async () => {
  await using networks = await TestNetworks.open();
  const { server } = await scene(networks, { Options: { [`${BRIDGE}gateway_mode_ipv6`]: 'routed' } });
  await using _ = await serve(server);
  assert.deepEqual(server.ports['80/tcp'], [
    { HostIp: '0.0.0.0', HostPort: '7080' },
    { HostIp: '::', HostPort: '' },
  ]);
  assert.deepEqual(await reach(outside.path, server), ['no no no', 'yes no yes']);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 7080), /^hello /);
});

test('isolated: the machine has no address on the network, and its first one is a container’s', async () => {
  await using networks = await TestNetworks.open();
  const pool = { Config: [{ Subnet: '10.99.0.0/24' }] };
  const { server } = await scene(networks, { Internal: true, IPAM: pool, Options: both('isolated') });
  await using _ = await serve(server);
  const neighbour = await networks.container('neighbour', { networks: ['net'] });
  assert.equal(server.ip(), '10.99.0.1');
  assert.deepEqual(server.ports, {});
  assert.deepEqual(await reach(neighbour.netnsPath, server), ['yes yes yes', 'yes yes yes']);
  assert.deepEqual(await reach(undefined, server), ['no no no', 'no no no']);
});

test('a trusted interface reaches published ports by the container’s address, and only those', async () => {
  await using networks = await TestNetworks.open();
  const options = { [`${BRIDGE}trusted_host_interfaces`]: 'eth9:outside' };
  const { server, stranger } = await scene(networks, { Options: options });
  await using _ = await serve(server);
  assert.deepEqual(await reach(outside.path, server), ['yes no no', 'yes no no']);
  assert.deepEqual(await reach(stranger.netnsPath, server), ['no no no', 'no no no']);
  await networks.net.closeSandbox(server.id);
  const again = await networks.container('again', { networks: ['net'] });
  assert.equal(again.ip(), server.ip());
  await using __ = await serve(again);
  assert.deepEqual(await reach(outside.path, again), ['no no no', 'no no no']);
});

test('with icc=false a neighbour is reached by its published port of the machine, and in no other way', async () => {
  await using networks = await TestNetworks.open();
  const { server } = await scene(networks, { Options: { [`${BRIDGE}enable_icc`]: 'false' } });
  await using _ = await serve(server);
  const neighbour = await networks.container('neighbour', { networks: ['net'] });
  assert.deepEqual(await reach(neighbour.netnsPath, server), ['no no no', 'no no no']);
  for (const address of ['203.0.113.1', 'fd99::1'])
    assert.match(await tcpCall(neighbour.netnsPath, address, 7080), /^hello /, address);
});

test('a UDP port of a container with IPv6 answers on every address of the machine, [::1] included', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('net', { EnableIPv6: true });
  const ports = { '53/udp': [{ HostIp: '', HostPort: '7053' }] };
  const server = await networks.container('server', { networks: ['net'], ports });
  const listener = await udpServer(server.netnsPath, 53, '::');
  for (const address of ['127.0.0.1', '::1', '203.0.113.1', 'fd99::1'])
    assert.match(await udpCall(undefined, address, 7053), /^udp /, address);
  assert.match(await udpCall(outside.path, 'fd99::1', 7053), /^udp fd99::2$/);
  listener.close();
});
