import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import koffi from 'koffi';
import { parseAddress } from './address.ts';
import { ephemeralRange, holdPort, releasePort, turnAway } from './host-ports.ts';

test('who connects to a port before its rules are there is turned away, and the port stays held', async () => {
  const [first] = ephemeralRange();
  const hold = (port: number) => holdPort('tcp', parseAddress('127.0.0.1')!, port, () => koffi.errno());
  let port = first - 1;
  let held = hold(port);
  for (; !('fd' in held); held = hold(port)) port--;
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.write('anybody?');
  turnAway(held.fd);
  await closed;
  turnAway(held.fd);
  assert.deepEqual(hold(port), { code: 'in-use' });
  releasePort(held.fd);
});
