import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountLocal } from './local-mount.ts';

test('a password among the options is no argument of a process, and stands in no file afterwards', async () => {
  const place = mkdtempSync(join(tmpdir(), 'gt-local-'));
  const path = process.env.PATH;
  try {
    // Stands in for mount(8): notes what it is told, and of whom the table is.
    const program =
      '#!/bin/sh\necho "$@" >"$0.args"; stat -c %a "$3" >"$0.mode"; cat "$3" >"$0.table"; echo mount: no >&2; exit 32\n';
    mkdirSync(join(place, 'bin'));
    writeFileSync(join(place, 'bin/mount'), program);
    chmodSync(join(place, 'bin/mount'), 0o755);
    mkdirSync(join(place, 'a volume/_data'), { recursive: true });
    process.env.PATH = `${join(place, 'bin')}:${path}`;
    const options = { type: 'cifs', device: '//127.0.0.1/a share', o: 'ro,username=joe,password=hidden word' };
    await assert.rejects(mountLocal(join(place, 'a volume/_data'), options), /password=\*{8}/);
    const noted = (what: string) => readFileSync(join(place, `bin/mount.${what}`), 'utf8');
    assert.doesNotMatch(noted('args'), /hidden/);
    assert.equal(noted('mode'), '600\n');
    assert.equal(
      noted('table'),
      `//127.0.0.1/a\\040share ${place}/a\\040volume/_data cifs ro,username=joe,password=hidden\\040word 0 0\n`,
    );
    assert.equal(existsSync(join(place, 'a volume/fstab')), false);
  } finally {
    process.env.PATH = path;
    rmSync(place, { recursive: true, force: true });
  }
});
