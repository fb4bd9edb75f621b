import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { closeFd, openInRoot, S_IF, statFd } from './index.ts';

it('opens what a path in a root leads to, and a root that is itself a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gt-files-'));
  const kind = (root: string, path: string) => {
    const fd = openInRoot(root, path);
    try {
      return statFd(fd).mode & S_IF.MT;
    } finally {
      closeFd(fd);
    }
  };
  try {
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('/file', join(directory, 'link'));
    assert.equal(kind(directory, ''), S_IF.DIR);
    assert.equal(kind(join(directory, 'file'), ''), S_IF.REG);
    assert.equal(kind(directory, 'link'), S_IF.REG);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
