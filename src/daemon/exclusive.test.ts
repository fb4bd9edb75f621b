import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLogger } from '../common/index.ts';
import { lockRoot, writePidfile } from './exclusive.ts';
import { openInstance } from './instance.ts';
import { listenAll } from './listen.ts';

const directory = mkdtempSync(join(tmpdir(), 'gt-exclusive-'));
after(() => rmSync(directory, { recursive: true, force: true }));

describe('a data root', () => {
  it('belongs to one daemon at a time', () => {
    const root = join(directory, 'root');
    const lock = lockRoot(root);
    // flock(2) tells apart open files, not processes, so that the same process finds it taken too.
    assert.throws(() => lockRoot(root), {
      kind: 'conflict',
      message: `${root} is in use by another gantryd (pid ${process.pid})`,
    });
    lock.release();
    lockRoot(root).release();
  });
  it('keeps its id, which tells its bridges and cgroups apart from those of another', () => {
    const [one, two] = ['one', 'two'].map((name) => {
      const root = join(directory, name);
      lockRoot(root).release();
      assert.deepEqual(openInstance(root), openInstance(root));
      return openInstance(root);
    });
    assert.match(one?.suffix ?? '', /^[0-9a-f]{8}$/);
    assert.notEqual(one?.suffix, two?.suffix);
  });
});

describe('the pid file', () => {
  const path = join(directory, 'pid');
  it('of a process that is gone, or of another program, is replaced', () => {
    for (const text of ['999999999', 'nonsense', '1']) {
      writeFileSync(path, text);
      const file = writePidfile(path);
      assert.equal(readFileSync(path, 'utf8'), String(process.pid));
      file.remove();
      assert.equal(existsSync(path), false);
    }
  });
  it('of a running daemon is a conflict', async () => {
    const other = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)', 'gantryd'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    writeFileSync(path, String(other.pid));
    assert.throws(() => writePidfile(path), { kind: 'conflict' });
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill();
    await ended;
    writePidfile(path).remove();
  });
});

describe('sockets', () => {
  const settings = (...hosts: string[]) => ({
    hosts,
    tls: { enabled: false, verify: false, ca: '', cert: '', key: '' },
    insecureTcp: true,
    group: { name: 'no-such-group', given: false },
  });
  const greet = (socket: Socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  };
  it('are for root and the group only, and a stale one is replaced', {
    skip: process.getuid?.() === 0 ? false : 'needs root',
  }, async () => {
    const path = join(directory, 's');
    const [first] = await listenAll(settings(`unix://${path}`), greet, silentLogger, {});
    assert.equal(statSync(path).mode & 0o777, 0o660);
    await assert.rejects(listenAll(settings(`unix://${path}`), greet, silentLogger, {}), { kind: 'conflict' });
    await first?.close();
    // A daemon that was killed leaves its socket.
    const stale = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`,
    ]);
    await new Promise((resolve) => stale.once('exit', resolve));
    assert.equal(existsSync(path), true);
    const [second] = await listenAll(settings(`unix://${path}`), greet, silentLogger, {});
    const client = connect(path);
    client.on('error', () => {});
    const text = await new Promise<string>((resolve) => client.once('data', (chunk) => resolve(String(chunk))));
    assert.equal(text, 'hello');
    client.destroy();
    await second?.close();
  });
  it('are opened all or none', async () => {
    const path = join(directory, 'none');
    await assert.rejects(listenAll(settings(`unix://${path}`, 'fd://'), greet, silentLogger, {}), {
      kind: 'unavailable',
    });
    assert.equal(existsSync(path), false);
  });
});
