import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../common/index.ts';
import { compact, parsePortKey, portWishes } from './ports.ts';

const wishes = (ports: Parameters<typeof portWishes>[0], dual = true) =>
  portWishes(ports, { defaultIp: '0.0.0.0', dual });

test('a binding without an address is for IPv4 and IPv6, one with an address for that alone', () => {
  const [all, four, six, loop] = wishes({
    '80/tcp': [
      { HostIp: '', HostPort: '8080' },
      { HostIp: '0.0.0.0', HostPort: '8081' },
      { HostIp: '::', HostPort: '8082' },
      { HostIp: '[::1]', HostPort: '' },
    ],
  });
  assert.deepEqual(all?.hostIps, ['0.0.0.0', '::']);
  assert.deepEqual(four?.hostIps, ['0.0.0.0']);
  assert.deepEqual(six?.hostIps, ['::']);
  assert.deepEqual([loop?.hostIps, loop?.first, loop?.last], [['::1'], 0, 0]);
  assert.deepEqual(wishes({ '80/tcp': [{ HostIp: '', HostPort: '1' }] }, false)[0]?.hostIps, ['0.0.0.0']);
});

test('bad ports are refused', () => {
  for (const key of ['0/tcp', '65536/tcp', 'x/tcp', '80/icmp', '-1'])
    assert.throws(() => parsePortKey(key), EngineError, key);
  for (const HostPort of ['65536', '9-8', '1-', 'x'])
    assert.throws(() => wishes({ '80/tcp': [{ HostIp: '', HostPort }] }), EngineError, HostPort);
  assert.throws(() => wishes({ '80/tcp': [{ HostIp: 'nowhere', HostPort: '1' }] }));
});

test('neighbouring grants become one run, shifted ones too, and others stay apart', () => {
  const grant = (hostPort: number, containerPort: number, proto: 'tcp' | 'udp' = 'tcp') => ({
    key: `${containerPort}/${proto}`,
    proto,
    containerPort,
    hostIps: ['0.0.0.0'],
    hostPort,
  });
  const run = (hostPort: number, containerPort: number, count: number, proto: 'tcp' | 'udp' = 'tcp') => ({
    proto,
    hostIp: '0.0.0.0',
    hostPort,
    containerPort,
    count,
  });
  assert.deepEqual(compact([grant(8002, 82), grant(8001, 81), grant(9000, 90), grant(8001, 81, 'udp')]), [
    run(8001, 81, 2),
    run(9000, 90, 1),
    run(8001, 81, 1, 'udp'),
  ]);
  assert.deepEqual(compact([grant(8001, 81), grant(8002, 81)]), [run(8001, 81, 1), run(8002, 81, 1)]);
});
