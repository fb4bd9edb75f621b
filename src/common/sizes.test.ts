import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBytes } from './index.ts';

test('sizes are read as go-units reads them', () => {
  const table: [string, number][] = [
    ['512', 512],
    ['64m', 64 << 20],
    ['1.5GB', 1.5 * 2 ** 30],
    ['2 GiB', 2 * 2 ** 30],
    ['.5k', 512],
    ['1e3', 1000],
    ['1.', 1],
    ['5b', 5],
  ];
  for (const [text, bytes] of table) assert.equal(parseBytes(text), bytes, text);
});

test('a size that is none is told in the words of go-units', () => {
  const table: [string, string][] = [
    ['', "invalid size: ''"],
    ['abc', "invalid size: 'abc'"],
    ['-1', "invalid size: '-1'"],
    [' 1', 'strconv.ParseFloat: parsing " 1": invalid syntax'],
    ['0x10', 'strconv.ParseFloat: parsing "0x10": invalid syntax'],
    ['1X', "invalid suffix: 'x'"],
    ['1kibb', "invalid suffix: 'kibb'"],
  ];
  for (const [text, message] of table) assert.throws(() => parseBytes(text), { message }, text);
});
