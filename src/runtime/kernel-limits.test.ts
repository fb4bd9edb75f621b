import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { limitsOfVersion1, limitsOfVersion2 } from './kernel-limits.ts';

function withTree(files: readonly string[], look: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'gt-limits-'));
  try {
    for (const file of files) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), '');
    }
    look(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

it('version 1 has what it has a file for', () => {
  withTree(['memory/memory.limit_in_bytes', 'cpu/cpu.shares', 'pids/tasks'], (root) =>
    assert.deepEqual([...limitsOfVersion1(root)], ['memory', 'pids', 'shares']),
  );
});

it('version 2 has what its controllers are for, and swap where groups have its file', () => {
  const controllers = new Set(['memory', 'io']);
  const io = ['io', 'io-weight', 'io-weight-device'];
  withTree(['a/memory.current', 'a/memory.swap.max'], (root) =>
    assert.deepEqual([...limitsOfVersion2(root, controllers)], ['memory', 'reservation', ...io, 'swap']),
  );
  withTree(['a/memory.current'], (root) =>
    assert.deepEqual([...limitsOfVersion2(root, controllers)], ['memory', 'reservation', ...io]),
  );
});
