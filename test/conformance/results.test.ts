import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagPage, flagsOf } from './results.ts';

test('flags are what stands between the command and the image', () => {
  assert.deepEqual(flagsOf('$D run --rm -it --cpus=2 -v /a:/b $IMG sh -c "ls --all"; $D inspect -f x $N'), [
    '--rm',
    '-it',
    '--cpus',
    '-v',
  ]);
  assert.deepEqual(flagsOf('$D ps -a'), []);
});

test('a scenario that differs shows in the line of each of its flags', () => {
  const script = '$D run --rm --init $IMG true';
  const page = flagPage([
    { scenario: 'a', script, client: 'docker', verdict: 'differs' },
    { scenario: 'b', script: '$D run --rm $IMG true', client: 'docker', verdict: 'same' },
  ]);
  assert.match(page, /\| `--init` \| 0 as dockerd, \*\*1 otherwise\*\* \| not run \|/);
  assert.match(page, /\| `--rm` \| 1 as dockerd, \*\*1 otherwise\*\* \| not run \|/);
});
