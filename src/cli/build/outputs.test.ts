import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOutput } from './outputs.ts';

test('outputs are read in their long and short forms', () => {
  assert.deepEqual(readOutput('-'), { type: 'tar', dest: '-' });
  assert.deepEqual(readOutput('out/dir'), { type: 'local', dest: 'out/dir' });
  assert.deepEqual(readOutput('type=local,dest=d'), { type: 'local', dest: 'd' });
  assert.deepEqual(readOutput('type=oci'), { type: 'oci', dest: '-' });
  assert.deepEqual(readOutput('type=docker'), { type: 'image', names: [], push: false });
  assert.deepEqual(readOutput('type=docker,dest=x.tar'), { type: 'docker', dest: 'x.tar' });
  assert.deepEqual(readOutput('type=image,name=a:1,push=true'), { type: 'image', names: ['a:1'], push: true });
});

test('outputs that make no sense are refused with what is wrong', () => {
  for (const [text, words] of [
    ['dest=x', /type is required/],
    ['type=zip', /unsupported output type "zip"/],
    ['type=local', /dest is required/],
    ['type=tar,dest=a,compression=zstd', /unsupported option "compression"/],
  ] as const)
    assert.throws(() => readOutput(text), words);
});
