import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseAddress } from '../../src/network/address.ts';
import { holdPort } from '../../src/network/host-ports.ts';
import {
  becomeMachine,
  type OtherHost,
  openOutside,
  ping,
  run,
  TestNetworks,
  tcpCall,
  tcpServer,
  udpCall,
  udpClient,
  udpServer,
} from '../support/network-hosts.ts';

/** Long enough for an answer that comes at all; what must not come is waited for this long. */
const NEVER_MS = 1500;

function kernelMakes(kind: string): boolean {
  try {
    run(`ip link add probe0 link outside type ${kind}`);
    run('ip link del probe0');
    return true;
  } catch {
    return false;
  }
}

let outside: OtherHost;
let closeOutside: () => void;

before(() => {
  becomeMachine();
  ({ outside, close: closeOutside } = openOutside());
});
after(() => {
  closeOutside();
});

test('a container on the default bridge reaches the gateway, a neighbour and the outside world, which sees the machine', async () => {
  await using networks = await TestNetworks.open();
  const one = await networks.container('one');
  const two = await networks.container('two');
  assert.ok(ping(one.netnsPath, one.endpoints.bridge!.Gateway));
  assert.ok(ping(one.netnsPath, two.ip()));
  assert.ok(ping(one.netnsPath, '203.0.113.2'));
  const server = await tcpServer(outside.path, 81);
  assert.equal(await tcpCall(one.netnsPath, '203.0.113.2', 81), 'hello 203.0.113.1');
  server.close();
});

test('a published TCP port is reached from outside with the client’s address, from the machine by each address, and from containers', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('other');
  const one = await networks.container('one', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } });
  const neighbour = await networks.container('neighbour');
  const stranger = await networks.container('stranger', { networks: ['other'] });
  const server = await tcpServer(one.netnsPath, 80);
  assert.equal(await tcpCall(outside.path, '203.0.113.1', 8080), 'hello 203.0.113.2');
  for (const address of ['127.0.0.1', '127.0.0.9', '203.0.113.1', one.endpoints.bridge!.Gateway, '::1', 'fd99::1'])
    assert.match(await tcpCall(undefined, address, 8080), /^hello /, address);
  for (const [name, container] of Object.entries({ one, neighbour, stranger }))
    assert.match(await tcpCall(container.netnsPath, '203.0.113.1', 8080), /^hello /, name);
  assert.match(await tcpCall(outside.path, 'fd99::1', 8080), /^hello /);
  server.close();
});

test('published UDP ports answer over IPv4 and, through the relay, over IPv6', async () => {
  await using networks = await TestNetworks.open();
  const one = await networks.container('one', { ports: { '53/udp': [{ HostIp: '', HostPort: '5353' }] } });
  const server = await udpServer(one.netnsPath, 53);
  assert.equal(await udpCall(outside.path, '203.0.113.1', 5353), 'udp 203.0.113.2');
  assert.match(await udpCall(undefined, '127.0.0.1', 5353), /^udp /);
  assert.match(await udpCall(outside.path, 'fd99::1', 5353), /^udp /);
  server.close();
});

test('UDP over IPv6 to a container without IPv6 is answered from the address that was called', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('six', { EnableIPv6: true });
  const one = await networks.container('one', { ports: { '53/udp': [{ HostIp: '', HostPort: '5353' }] } });
  const stranger = await networks.container('stranger', { networks: ['six'] });
  const server = await udpServer(one.netnsPath, 53);
  const gateway = stranger.endpoints.six!.IPv6Gateway;
  for (const address of ['fd99::1', gateway])
    assert.match(await udpCall(stranger.netnsPath, address, 5353), /^udp /, address);
  for (const address of ['::1', 'fd99::1', gateway])
    assert.match(await udpCall(undefined, address, 5353), /^udp /, address);
  run('ip -6 addr add fd98::1/64 dev outside nodad');
  assert.match(await udpCall(stranger.netnsPath, 'fd98::1', 5353), /^udp /);
  assert.match(await udpCall(outside.path, 'fd98::1', 5353), /^udp /);
  // Sockets that stand beside each other share with nobody else.
  for (const address of ['::', 'fd99::1'])
    assert.deepEqual(holdPort('udp', parseAddress(address)!, 5353), { code: 'in-use' }, address);
  run('ip -6 addr del fd98::1/64 dev outside');
  server.close();
});

test('a UDP client that keeps its source port follows the port from nobody to one container and to the next', async () => {
  await using networks = await TestNetworks.open();
  const ports = { '53/udp': [{ HostIp: '0.0.0.0', HostPort: '5353' }] };
  const client = udpClient(outside.path, '203.0.113.1', 5353);
  client.send();
  const one = await networks.container('one', { ports });
  const first = await udpServer(one.netnsPath, 53, '0.0.0.0', 'first');
  await client.until('first');
  const keeper = await networks.container('keeper');
  await networks.net.closeSandbox(one.id);
  first.close();
  await networks.net.closeSandbox(keeper.id);
  await networks.container('blocker');
  const two = await networks.container('two', { ports });
  const second = await udpServer(two.netnsPath, 53, '0.0.0.0', 'second');
  await client.until('second');
  second.close();
  client.close();
});

test('a container with IPv6 is reached over IPv6 by its own address and with the client’s', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('dual', { EnableIPv6: true });
  const one = await networks.container('one', {
    networks: ['dual'],
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
  });
  const two = await networks.container('two', { networks: ['dual'] });
  assert.ok(ping(two.netnsPath, one.endpoints.dual!.GlobalIPv6Address));
  assert.ok(ping(one.netnsPath, 'fd99::2'));
  const server = await tcpServer(one.netnsPath, 80, { address: '::' });
  assert.equal(await tcpCall(outside.path, 'fd99::1', 8080), 'hello fd99::2');
  for (const address of ['::1', 'fd99::1', '127.0.0.1'])
    assert.match(await tcpCall(undefined, address, 8080), /^hello /, address);
  assert.match(await tcpCall(one.netnsPath, 'fd99::1', 8080), /^hello /);
  server.close();
});

test('a port published on one address is not reached by another, and one on 127.0.0.1 not from outside', async () => {
  await using networks = await TestNetworks.open();
  const one = await networks.container('one', {
    ports: {
      '80/tcp': [{ HostIp: '203.0.113.1', HostPort: '8080' }],
      '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }],
    },
  });
  const servers = [await tcpServer(one.netnsPath, 80), await tcpServer(one.netnsPath, 81)];
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello /);
  assert.equal(await tcpCall(undefined, '127.0.0.1', 8080), 'refused');
  assert.match(await tcpCall(undefined, '127.0.0.1', 8081), /^hello /);
  assert.equal(await tcpCall(outside.path, '203.0.113.1', 8081), 'refused');
  // A neighbour that routes loopback addresses to this machine.
  run('sysctl -q -w net.ipv4.conf.all.route_localnet=1', outside.path);
  run('ip route add 127.0.0.53 via 203.0.113.1 dev eth0 src 203.0.113.2', outside.path);
  run('ip route del local 127.0.0.0/8 dev lo table local', outside.path);
  assert.notEqual((await tcpCall(outside.path, '127.0.0.53', 8081, NEVER_MS)).slice(0, 5), 'hello');
  for (const server of servers) server.close();
});

test('nothing unpublished is reached from outside, routed packets included, nor from another network', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('other');
  const one = await networks.container('one', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } });
  const stranger = await networks.container('stranger', { networks: ['other'] });
  const servers = [await tcpServer(one.netnsPath, 80), await tcpServer(one.netnsPath, 81)];
  for (const port of [80, 81]) {
    assert.equal(await tcpCall(outside.path, one.ip(), port, NEVER_MS), 'timeout');
    assert.equal(await tcpCall(stranger.netnsPath, one.ip(), port, NEVER_MS), 'timeout');
    assert.match(await tcpCall(undefined, one.ip(), port), /^hello /);
  }
  assert.equal(ping(stranger.netnsPath, one.ip()), false);
  assert.equal(ping(outside.path, one.ip()), false);
  for (const server of servers) server.close();
});

test('the machine’s loopback is not reached from a container', async () => {
  await using networks = await TestNetworks.open();
  const one = await networks.container('one');
  const server = await tcpServer('/proc/thread-self/ns/net', 7777, { address: '127.0.0.1' });
  run(`ip route add 127.0.0.77 via ${one.endpoints.bridge!.Gateway} dev eth0 src ${one.ip()}`, one.netnsPath);
  run('sysctl -q -w net.ipv4.conf.all.route_localnet=1', one.netnsPath);
  run('ip route del local 127.0.0.0/8 dev lo table local', one.netnsPath);
  assert.equal(await tcpCall(one.netnsPath, '127.0.0.77', 7777, NEVER_MS), 'timeout');
  server.close();
});

test('an internal network has members and no way out', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('inner', { Internal: true });
  const one = await networks.container('one', { networks: ['inner'] });
  const two = await networks.container('two', { networks: ['inner'] });
  assert.ok(ping(one.netnsPath, two.ip()));
  assert.equal(one.endpoints.inner!.Gateway, '');
  // Even with a route of its own making.
  const gateway = (await networks.net.inspect('inner', {})).IPAM.Config[0]!.Gateway;
  run(`ip route add default via ${gateway}`, one.netnsPath);
  assert.equal(ping(one.netnsPath, '203.0.113.2'), false);
  assert.equal(ping(one.netnsPath, '203.0.113.1'), false);
});

test('icc=false keeps neighbours apart, except for exposed ports of a link', async () => {
  await using networks = await TestNetworks.open({ icc: false });
  const db = await networks.container('db', { exposed: ['5432/tcp'] });
  const web = await networks.container('web', { networks: [['bridge', { Links: ['db:database'] }]] });
  const servers = [await tcpServer(db.netnsPath, 5432), await tcpServer(db.netnsPath, 80)];
  const third = await networks.container('third');
  assert.equal(await tcpCall(third.netnsPath, db.ip(), 5432, NEVER_MS), 'timeout');
  assert.match(await tcpCall(web.netnsPath, db.ip(), 5432), /^hello /);
  assert.equal(await tcpCall(web.netnsPath, db.ip(), 80, NEVER_MS), 'timeout');
  assert.equal(ping(web.netnsPath, db.ip()), false);
  assert.ok(ping(web.netnsPath, '203.0.113.2'));
  assert.deepEqual(web.hosts[0], { ip: db.ip(), names: ['database', 'db'] });
  for (const server of servers) server.close();
});

test('a container that takes its neighbour’s address is not heard', async () => {
  await using networks = await TestNetworks.open();
  const victim = await networks.container('victim');
  const liar = await networks.container('liar');
  const friend = await networks.container('friend');
  run(`ip addr add ${victim.ip()}/16 dev eth0`, liar.netnsPath);
  run(`ip addr del ${liar.ip()}/16 dev eth0`, liar.netnsPath);
  assert.equal(ping(liar.netnsPath, friend.ip()), false);
  assert.ok(ping(victim.netnsPath, friend.ip()));
  run(`ip addr flush dev eth0`, liar.netnsPath);
  run(`ip addr add ${victim.endpoints.bridge!.Gateway}/16 dev eth0`, liar.netnsPath);
  assert.equal(ping(liar.netnsPath, friend.ip()), false);
  run('ip link set eth0 down', liar.netnsPath);
  run(`ip link set eth0 address ${victim.endpoints.bridge!.MacAddress}`, liar.netnsPath);
  run('ip link set eth0 up', liar.netnsPath);
  run('ip addr flush dev eth0', liar.netnsPath);
  run(`ip addr add ${liar.ip()}/16 dev eth0`, liar.netnsPath);
  assert.equal(ping(liar.netnsPath, friend.ip()), false);
});

test('ten thousand published ports are one range: reached, refused to others, and gone with the container', async () => {
  await using networks = await TestNetworks.open();
  const ports = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [
      `${20000 + index}/tcp`,
      [{ HostIp: '', HostPort: String(20000 + index) }],
    ]),
  );
  const one = await networks.container('one', { ports });
  const server = await tcpServer(one.netnsPath, 27654);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 27654), /^hello 203.0.113.2/);
  assert.match(await tcpCall(outside.path, 'fd99::1', 27654), /^hello /);
  await assert.rejects(networks.container('two', { ports: { '80/tcp': [{ HostIp: '', HostPort: '29999' }] } }), {
    message: /Bind for 0\.0\.0\.0:29999 failed: port is already allocated$/,
  });
  server.close();
  await networks.net.closeSandbox(one.id);
  const two = await networks.container('two', { ports: { '80/tcp': [{ HostIp: '', HostPort: '29999' }] } });
  assert.deepEqual(two.ports['80/tcp']?.[0], { HostIp: '0.0.0.0', HostPort: '29999' });
});

test('a port that another program has is an error in Docker’s words, and nothing is half-done', async () => {
  await using networks = await TestNetworks.open();
  const program = await tcpServer('/proc/thread-self/ns/net', 8080);
  const wish = {
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }], '81/tcp': [{ HostIp: '', HostPort: '8081' }] },
  };
  await assert.rejects(networks.container('one', wish), {
    message:
      /^failed to set up container networking: driver failed programming external connectivity on endpoint one \([0-9a-f]{64}\): failed to bind host port for 0\.0\.0\.0:8080:172\.17\.0\.2:80\/tcp: address already in use$/,
  });
  assert.deepEqual((await networks.net.inspect('bridge', {})).Containers, {});
  program.close();
  const one = await networks.container('one', wish);
  assert.equal(one.ip(), '172.17.0.2');
  const range = await networks.container('two', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8080-8090' }] } });
  assert.equal(range.ports['80/tcp']?.[0]?.HostPort, '8082');
  // And ours are errors to other programs.
  await assert.rejects(tcpServer('/proc/thread-self/ns/net', 8081), { code: 'EADDRINUSE' });
});

test('two daemons stand side by side, and one that ends leaves nothing of its own and all of the other’s', async () => {
  await using first = await TestNetworks.open({}, 'first');
  const one = await first.container('one', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } });
  const server = await tcpServer(one.netnsPath, 80);
  {
    await using second = await TestNetworks.open({}, 'second');
    const two = await second.container('two', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8081' }] } });
    assert.notEqual(two.endpoints.bridge!.Gateway, one.endpoints.bridge!.Gateway);
    assert.equal(await tcpCall(two.netnsPath, one.ip(), 80, NEVER_MS), 'timeout');
    assert.match(await tcpCall(two.netnsPath, '203.0.113.1', 8080), /^hello /);
  }
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello /);
  assert.doesNotMatch(run('nft list tables'), /second/);
  assert.doesNotMatch(run('ip -br link'), /gt-second/);
  server.close();
});

test('a default bridge whose block another took while the daemon was away gets another block, and keeps its id', async () => {
  await using networks = await TestNetworks.open();
  const before = await networks.net.inspect('bridge', {});
  await networks.abandon();
  run('ip link add rival type bridge');
  run(`ip addr add ${before.IPAM.Config[0]!.Gateway}/16 dev rival`);
  await networks.start(() => false);
  const after = await networks.net.inspect('bridge', {});
  run('ip link del rival');
  assert.equal(after.Id, before.Id);
  assert.notEqual(after.IPAM.Config[0]!.Subnet, before.IPAM.Config[0]!.Subnet);
});

test('with the host’s firewall respected, its input rules decide about published ports', async () => {
  await using networks = await TestNetworks.open({ respectHostFirewall: true });
  const one = await networks.container('one', {
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }], '81/tcp': [{ HostIp: '', HostPort: '8081' }] },
  });
  const servers = [await tcpServer(one.netnsPath, 80), await tcpServer(one.netnsPath, 81)];
  run('nft add table inet fw');
  run('nft add chain inet fw input { type filter hook input priority 0 ; }');
  run('nft add rule inet fw input tcp dport 8081 drop');
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello /);
  assert.match(await tcpCall(outside.path, 'fd99::1', 8080), /^hello /);
  assert.equal(await tcpCall(outside.path, '203.0.113.1', 8081, NEVER_MS), 'timeout');
  run('nft delete table inet fw');
  for (const server of servers) server.close();
});

test('other tables are left as they are, and flushed rules come back', async () => {
  await using networks = await TestNetworks.open();
  run('nft add table inet someone');
  run('nft add chain inet someone c');
  const one = await networks.container('one', { ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } });
  const server = await tcpServer(one.netnsPath, 80);
  run('nft delete table inet gantry-test');
  assert.equal(await tcpCall(outside.path, '203.0.113.1', 8080, NEVER_MS), 'timeout');
  await networks.net.restoreRules();
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello /);
  run('nft flush ruleset');
  run('nft add table inet someone');
  // The next container finds the table gone and brings all of it back.
  await networks.container('two');
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello /);
  assert.match(run('nft list tables'), /someone/);
  run('nft delete table inet someone');
  server.close();
});

test('a running container joins and leaves networks, and its published ports follow its default route', async () => {
  await using networks = await TestNetworks.open();
  await networks.create('alpha');
  await networks.create('omega');
  const one = await networks.container('one', {
    networks: ['omega'],
    ports: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
  });
  const peer = await networks.container('peer', { networks: ['alpha'] });
  const server = await tcpServer(one.netnsPath, 80);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello 203.0.113.2/);
  const state = await networks.net.connect(one.id, { network: 'alpha', settings: {} as never });
  assert.match(run('ip route', one.netnsPath), new RegExp(`default via ${state.endpoints.alpha!.Gateway} dev eth1`));
  assert.match(await tcpCall(peer.netnsPath, state.endpoints.alpha!.IPAddress, 80), /^hello /);
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello 203.0.113.2/);
  await networks.net.disconnect(one.id, 'alpha');
  assert.match(run('ip route', one.netnsPath), new RegExp(`default via ${one.endpoints.omega!.Gateway} dev eth0`));
  assert.match(await tcpCall(outside.path, '203.0.113.1', 8080), /^hello 203.0.113.2/);
  await networks.net.connect(one.id, { network: 'alpha', settings: { GwPriority: -1 } as never });
  assert.match(run('ip route', one.netnsPath), new RegExp(`default via ${one.endpoints.omega!.Gateway} dev eth0`));
  server.close();
});

test('macvlan and ipvlan containers stand on the parent’s own network', async () => {
  await using networks = await TestNetworks.open();
  // Kernels may be built without either.
  const drivers = ['macvlan', 'ipvlan'].filter((driver) => kernelMakes(driver));
  for (const driver of drivers) {
    await networks.create(driver, {
      Driver: driver,
      Options: { parent: 'outside' },
      IPAM: {
        Config: [
          {
            Subnet: '203.0.113.0/24',
            Gateway: '203.0.113.2',
            IPRange: driver === 'macvlan' ? '203.0.113.64/28' : '203.0.113.96/28',
          },
        ],
      },
    });
    const one = await networks.container('one', { networks: [driver] });
    assert.ok(ping(one.netnsPath, '203.0.113.2'), driver);
    assert.match(run('ip route', one.netnsPath), /default via 203\.0\.113\.2 dev eth0/);
    await networks.net.closeSandbox(one.id);
    await networks.net.remove(driver);
  }
});
