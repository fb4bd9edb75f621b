import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDurationNs } from './time.ts';

test("durations are read as Go reads them, and refused in Go's words", () => {
  const read: Record<string, number> = {
    '0': 0,
    '1h2m3.5s': 3723.5e9,
    '-1.5h': -5400e9,
    '.5s': 5e8,
    '1.s': 1e9,
    '7µs': 7e3,
  };
  for (const [text, ns] of Object.entries(read)) assert.equal(parseDurationNs(text), ns, text);
  const refused: Record<string, string> = {
    '': 'time: invalid duration ""',
    '-': 'time: invalid duration "-"',
    x: 'time: invalid duration "x"',
    '.s': 'time: invalid duration ".s"',
    '5': 'time: missing unit in duration "5"',
    '1h5': 'time: missing unit in duration "1h5"',
    '5x': 'time: unknown unit "x" in duration "5x"',
    '5 s': 'time: unknown unit " s" in duration "5 s"',
  };
  for (const [text, message] of Object.entries(refused)) assert.throws(() => parseDurationNs(text), { message });
});
