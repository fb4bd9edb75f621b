import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf } from './environment.ts';

test('what is given replaces in place, the later counts, and a bare name takes away', () => {
  const of = (...given: string[]) =>
    environmentOf({ hostname: 'h', tty: true, links: ['DB_NAME=/a/db', 'DB_PORT=x'], given, home: '/root' });
  assert.deepEqual(of('A=1', 'DB_NAME=own', 'A=2=3', 'TERM', 'NONE'), [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=h',
    'DB_NAME=own',
    'DB_PORT=x',
    'A=2=3',
    'HOME=/root',
  ]);
  assert.equal(of('HOME=/h').at(-1), 'HOME=/h');
});
