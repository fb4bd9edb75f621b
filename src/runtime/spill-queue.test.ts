import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SpillQueue } from './spill-queue.ts';

const FRAME_BYTES = 8192;

describe('output for a slow consumer', () => {
  const fresh = (t: TestContext): string => {
    const directory = mkdtempSync(join(tmpdir(), 'gt-spill-'));
    t.after(() => rmSync(directory, { recursive: true }));
    return directory;
  };
  const frame = (number: number) => {
    const data = Buffer.alloc(FRAME_BYTES, number % 251);
    data.writeUInt32LE(number);
    return { stream: number % 3 === 0 ? (2 as const) : (1 as const), data };
  };

  it('is all there, in order, whenever it is taken, and no file is left', async (t) => {
    const directory = fresh(t);
    const queue = new SpillQueue(directory, () => assert.fail('lost'));
    const total = 4000;
    let pushed = 0;
    const push = (count: number) => {
      for (let i = 0; i < count && pushed < total; i++) queue.push(frame(pushed++));
    };
    // More than memory holds; the rest comes while it is read, slower and faster than it is taken.
    push(2500);
    let seen = 0;
    for await (const { stream, data } of queue) {
      const wanted = frame(seen++);
      assert.equal(stream, wanted.stream);
      assert.ok(data.equals(wanted.data), `frame ${seen - 1}`);
      if (seen % 500 === 0) push(300);
      if (seen > 2500 && pushed < total) push(1);
      if (pushed === total) queue.end();
      if (seen % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(seen, total);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('falls through when the consumer leaves', async (t) => {
    const queue = new SpillQueue(fresh(t), () => assert.fail('lost'));
    for (let i = 0; i < 2000; i++) queue.push(frame(i));
    for await (const _ of queue) break;
    for (let i = 0; i < 2000; i++) queue.push(frame(i));
    assert.equal((await Array.fromAsync(queue)).length, 0);
  });

  it('says so where there is no room', async (t) => {
    let lost = 0;
    const queue = new SpillQueue(join(fresh(t), 'nosuch'), () => lost++);
    for (let i = 0; i < 2000; i++) queue.push(frame(i));
    const frames = await Array.fromAsync(queue);
    assert.equal(lost, 1);
    assert.match(String(frames.at(-1)?.data), /too far behind/);
    assert.ok(frames.length > 1000);
  });
});
