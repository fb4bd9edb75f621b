import assert from 'node:assert/strict';
import { it } from 'node:test';
import { resolveUser } from './index.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/false\n# comment\nbroken\n';
const group = 'root:x:0:\nwww:x:33:\nmedia:x:44:web,other\n';
const resolve = (spec: string, add: string[] = []) => resolveUser(spec, add, passwd, group);

it('resolves names and numbers, with or without a group', () => {
  const table: [string, { uid: number; gid: number; additionalGids: number[]; home: string }][] = [
    ['', { uid: 0, gid: 0, additionalGids: [0], home: '/root' }],
    ['web', { uid: 33, gid: 33, additionalGids: [33, 44], home: '/var/www' }],
    ['33', { uid: 33, gid: 33, additionalGids: [33, 44], home: '/var/www' }],
    ['web:media', { uid: 33, gid: 44, additionalGids: [44], home: '/var/www' }],
    ['1000', { uid: 1000, gid: 0, additionalGids: [0], home: '/' }],
    ['1000:1001', { uid: 1000, gid: 1001, additionalGids: [1001], home: '/' }],
  ];
  for (const [spec, expected] of table) assert.deepEqual(resolve(spec), expected, spec);
});
it('adds groups by name and number', () => {
  assert.deepEqual(resolve('', ['media', '99']).additionalGids, [0, 44, 99]);
});
it("refuses what the files do not hold in Docker's words", () => {
  assert.throws(() => resolve('nobodyx'), {
    message: 'unable to find user nobodyx: no matching entries in passwd file',
  });
  assert.throws(() => resolve('root:nogrp'), {
    message: 'unable to find group nogrp: no matching entries in group file',
  });
  assert.throws(() => resolve('4294967296'), { message: /uids and gids must be in range/ });
});
