import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { parseAddress } from './address.ts';
import { ephemeralRange, guardPort, holdPort, releasePort } from './host-ports.ts';

const hold = (port: number) => holdPort('tcp', parseAddress('127.0.0.1')!, port);

test('a port refuses connections until it is guarded, and is then held against others', async () => {
  let port = ephemeralRange()[0] - 1;
  let held = hold(port);
  for (; !('fd' in held); held = hold(port)) port--;
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  const rival = hold(port);
  assert.ok('fd' in rival);
  assert.equal(guardPort(held.fd), true);
  assert.equal(guardPort(rival.fd), false, 'who comes second learns of it');
  assert.deepEqual(hold(port), { code: 'in-use' });
  releasePort(rival.fd);
  releasePort(held.fd);
});

test('a UDP port is held by its bound socket', () => {
  const udp = (port: number) => holdPort('udp', parseAddress('127.0.0.1')!, port);
  let port = ephemeralRange()[0] - 1;
  let held = udp(port);
  for (; !('fd' in held); held = udp(port)) port--;
  assert.equal(guardPort(held.fd), true);
  assert.deepEqual(udp(port), { code: 'in-use' });
  releasePort(held.fd);
});
