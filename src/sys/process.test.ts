import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { alive, parseSignal } from './process.ts';

it('parses signals by name, number and distance from a realtime bound', () => {
  const table = {
    SIGTERM: 15,
    TERM: 15,
    term: 15,
    '15': 15,
    KILL: 9,
    RTMIN: 34,
    'RTMIN+3': 37,
    'SIGRTMAX-1': 63,
    '64': 64,
  };
  for (const [text, number] of Object.entries(table)) assert.equal(parseSignal(text), number, text);
});
it('refuses what is no signal', () => {
  for (const text of ['FOO', '0', '65', '-1', '', 'RTMIN+31', 'RTMAX-31'])
    assert.throws(() => parseSignal(text), /invalid signal/, text);
});
it('knows living processes from ended ones', async () => {
  assert.equal(alive(process.pid), true);
  const child = spawn('/bin/true');
  await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(alive(child.pid ?? 0), false);
});
