import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { sealedCopy } from './memfd.ts';
import { spawnPiped, spawnProgram } from './spawn.ts';

async function text(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}

test('a child gets its arguments, environment, directory and pipes', async () => {
  const child = spawnPiped('/bin/sh', ['-c', 'read line; echo "$line $A $(pwd)"; echo no >&2'], {
    env: ['A=b', 'PATH=/bin:/usr/bin'],
    cwd: '/usr',
    pipes: ['in', 'out', 'out'],
  });
  child.streams[0]?.end('hello\n');
  const [out, err] = await Promise.all([text(child.streams[1]), text(child.streams[2])]);
  assert.equal(out, 'hello b /usr\n');
  assert.equal(err, 'no\n');
  assert.equal(await child.exit, 0);
});

test('exit codes and signals are told apart, many children at once', async () => {
  const children = Array.from({ length: 20 }, (_, code) =>
    spawnProgram('/bin/sh', ['-c', code % 2 === 0 ? `exit ${code}` : `kill -${code === 17 ? 9 : 15} $$`], {
      env: [],
      descriptors: ['null', 'null', 'null'],
    }),
  );
  const codes = await Promise.all(children.map(({ exit }) => exit));
  for (const [code, seen] of codes.entries()) assert.equal(seen, code % 2 === 0 ? code : code === 17 ? 137 : 143);
});

test('signals that we ignore or block are not for the child', async () => {
  const child = spawnPiped('/bin/sh', ['-c', 'grep -E "Sig(Blk|Ign)" /proc/self/status'], {
    env: ['PATH=/bin:/usr/bin'],
    pipes: ['null', 'out', 'null'],
  });
  // Signals 32 and 33 are the C library's own.
  assert.match(await text(child.streams[1]), /SigBlk:\s+0{16}\nSigIgn:\s+[0-9a-f]{8}[08]0{7}\n/);
  await child.exit;
});

test('a session of its own is made only where asked for', async () => {
  for (const session of [true, false]) {
    const child = spawnPiped('/bin/sh', ['-c', 'cut -d" " -f1,6 /proc/self/stat; echo $$'], {
      env: ['PATH=/bin:/usr/bin'],
      session,
      pipes: ['null', 'out', 'null'],
    });
    const [line, pid] = (await text(child.streams[1])).split('\n');
    assert.equal(line?.split(' ')[1] === pid, session);
    await child.exit;
  }
});

test('what cannot be started throws, and leaves no descriptor', async () => {
  assert.throws(() => spawnPiped('/nonexistent', [], { env: [], pipes: ['in', 'out', 'out'] }), { code: 'ENOENT' });
  assert.throws(() => spawnPiped('/etc', [], { env: [], pipes: ['null', 'null', 'out'] }), { code: 'EACCES' });
});

test('a program runs from a sealed copy, which nobody can write', async () => {
  const copy = sealedCopy('/bin/sh');
  const path = `/proc/${process.pid}/fd/${copy}`;
  const child = spawnPiped(path, ['-c', 'echo from memory'], { env: [], pipes: ['null', 'out', 'null'] });
  assert.equal(await text(child.streams[1]), 'from memory\n');
  assert.throws(() => writeSync(copy, 'x', 0), { code: 'EPERM' });
  closeSync(copy);
});
