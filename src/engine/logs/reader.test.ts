import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LogFiles } from './files.ts';
import { LogReader } from './reader.ts';

const directory = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(directory, { recursive: true }));
let made = 0;
const newPath = () => join(directory, `log${made++}`);

const line = (text: string, stream = 'stdout', tag = 'F') =>
  `2026-01-02T03:04:05.000000001+00:00 ${stream} ${tag} ${text}\n`;
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index));
const linesOf = (from: number, to: number) =>
  numbers(from, to)
    .map((text) => line(text))
    .join('');
const never = new AbortController().signal;

async function tail(path: string, count: number | 'all', ended = false, files = new LogFiles()): Promise<string> {
  const reader = await LogReader.open(files, path, never);
  try {
    let text = '';
    for await (const batch of reader.existing(count, ended)) for (const { data } of batch) text += data;
    return text;
  } finally {
    await reader.close();
  }
}

describe('the tail of a log', () => {
  it('is as many messages as asked for, or all there are', async () => {
    const path = newPath();
    writeFileSync(path, linesOf(0, 30_000));
    assert.equal(await tail(path, 3), '29997\n29998\n29999\n');
    assert.equal(
      await tail(path, 'all'),
      numbers(0, 30_000)
        .map((text) => `${text}\n`)
        .join(''),
    );
    assert.equal(await tail(path, 40_000), await tail(path, 'all'));
    assert.equal(await tail(path, 0), '');
    // A tail longer than one step backwards.
    assert.equal((await tail(path, 20_000)).split('\n')[0], '10000');
  });

  it('goes back through rotated files, compressed or not', async () => {
    const path = newPath();
    writeFileSync(`${path}.2.gz`, gzipSync(linesOf(0, 10)));
    writeFileSync(`${path}.1`, linesOf(10, 20));
    writeFileSync(path, linesOf(20, 25));
    for (const count of [2, 5, 6, 15, 16, 25, 26])
      assert.equal(
        await tail(path, count),
        numbers(Math.max(0, 25 - count), 25)
          .map((text) => `${text}\n`)
          .join(''),
        `${count}`,
      );
  });

  it('keeps lines whole whose parts are mixed with the other stream', async () => {
    const path = newPath();
    writeFileSync(
      path,
      `${line('0')}${line('a', 'stdout', 'P')}${line('1', 'stderr')}${line('2', 'stderr')}${line('b')}${line('3', 'stderr')}`,
    );
    assert.equal(await tail(path, 2), 'ab\n3\n');
  });

  it('counts the parts of a long line, as Docker does', async () => {
    const path = newPath();
    const part = line('x'.repeat(8192), 'stdout', 'P');
    writeFileSync(path, `${line('0')}${part.repeat(5)}${line('end')}${line('last')}`);
    const text = await tail(path, 3);
    assert.equal(text.length, 16384 + 8192 + 'end\nlast\n'.length);
  });

  it('has the line without an end only of a process that has ended', async () => {
    const path = newPath();
    writeFileSync(path, `${line('a')}${line('$ ', 'stdout', 'P')}`);
    assert.equal(await tail(path, 1), 'a\n');
    assert.equal(await tail(path, 1, true), '$ ');
  });
});

describe('a follower', () => {
  it('reads every line once across rotations, whenever it comes to look', async () => {
    const path = newPath();
    const files = new LogFiles();
    writeFileSync(path, linesOf(0, 5));
    const reader = await LogReader.open(files, path, never);
    let over = false;
    let text = '';
    const add = (batch: { data: Buffer }[]) => {
      for (const { data } of batch) text += data;
    };
    for await (const batch of reader.existing('all', false)) add(batch);
    const live = reader.live(() => over);
    let next = 5;
    for (let rotation = 0; rotation < 3; rotation++) {
      await files.shift(path, 9);
      // What the monitor writes before it opens the new file.
      appendFileSync(`${path}.1`, linesOf(next, next + 2));
      writeFileSync(path, linesOf(next + 2, next + 4));
      next += 4;
    }
    over = true;
    for await (const batch of live) add(batch);
    await reader.close();
    assert.equal(
      text,
      numbers(0, next)
        .map((number) => `${number}\n`)
        .join(''),
    );
  });

  it('goes on with the oldest that is left when its place was dropped', async () => {
    const path = newPath();
    const files = new LogFiles();
    writeFileSync(path, linesOf(0, 2));
    const reader = await LogReader.open(files, path, never);
    for (let rotation = 0; rotation < 3; rotation++) {
      await files.shift(path, 1);
      writeFileSync(path, line(`r${rotation}`));
    }
    let text = '';
    for await (const batch of reader.existing('all', false)) for (const { data } of batch) text += data;
    for await (const batch of reader.live(() => true)) for (const { data } of batch) text += data;
    await reader.close();
    assert.equal(text, '0\n1\nr1\nr2\n');
  });
});

describe('a rotation', () => {
  it('keeps as many files as allowed and drops the plain twin of a half finished compression', async () => {
    const path = newPath();
    const files = new LogFiles();
    writeFileSync(path, linesOf(2, 3));
    writeFileSync(`${path}.1`, linesOf(1, 2));
    writeFileSync(`${path}.1.gz`, gzipSync(linesOf(1, 2)));
    await files.shift(path, 2);
    writeFileSync(path, linesOf(3, 4));
    assert.equal(await tail(path, 'all', false, files), '1\n2\n3\n');
    await files.shift(path, 2);
    writeFileSync(path, linesOf(4, 5));
    assert.equal(await tail(path, 'all', false, files), '2\n3\n4\n');
  });
});
