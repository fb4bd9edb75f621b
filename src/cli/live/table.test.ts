import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveTable } from './table.ts';

const row = {
  container: {
    Id: 'a',
    Names: ['/a-name-that-is-rather-long'],
    Image: 'busybox',
    Status: 'Up 2 hours',
    State: 'running',
  },
  usage: {
    cpuPercent: 12.34,
    memory: 5 * 2 ** 20,
    memoryLimit: 2 ** 30,
    memoryPercent: 0.5,
    received: 1500,
    sent: 20,
    read: 0,
    written: 0,
    pids: 3,
  },
} as unknown as Parameters<typeof liveTable>[0][number];

test('a wide screen has all columns, a narrow one those that matter most', () => {
  const wide = liveTable([row], 120);
  assert.equal(
    wide.heading.trimEnd().replace(/ {2,}/g, '  '),
    'NAME  IMAGE  STATUS  CPU  MEMORY  NET IN  NET OUT  PIDS',
  );
  assert.match(wide.lines[0]!, /^a-name-that-is-rather-long +busybox +Up 2 hours +12\.3% +5MiB +1\.5kB +20B +3$/);
  const narrow = liveTable([row], 39);
  assert.match(narrow.heading, /^NAME +STATUS +CPU +MEMORY$/);
  assert.match(narrow.lines[0]!, /^a-name-th… Up 2 hours +12\.3% +5MiB$/);
});

test('no line is wider than the screen, however narrow it is', () => {
  for (let width = 12; width < 200; width++) {
    const { heading, lines } = liveTable([row], width);
    for (const line of [heading, ...lines]) assert.ok(line.length <= width, `${width}: ${line}`);
  }
});
