import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { execute, programInTerminal, type Step, TestDaemon } from '../support/index.ts';

const bin = join(resolve(import.meta.dirname, '../..'), 'bin');

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
  await daemon.ok('create', '--name', 'box', 'busybox');
  await daemon.ok('volume', 'create', 'data');
  await daemon.ok('network', 'create', 'backend');
});
after(() => daemon[Symbol.asyncDispose]());

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script =
    'source <(gantry completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _gantry; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout, stderr, code } = await execute('bash', ['-c', script, 'bash', ...words], {
    env: { PATH: `${bin}:${process.env.PATH}`, DOCKER_HOST: daemon.host, DOCKER_CONFIG: `${daemon.root}/config` },
  });
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, flags and the names of what there is', async () => {
  assert.deepEqual(await offered('gantry', 'st'), ['start', 'stats', 'stop']);
  assert.deepEqual(await offered('gantry', 'container', 'ls', '--fo'), ['--format']);
  assert.deepEqual(await offered('gantry', 'rm', 'b'), ['box']);
  assert.deepEqual(await offered('gantry', 'run', 'bu'), ['busybox:latest']);
  assert.deepEqual(await offered('gantry', 'volume', 'rm', ''), ['data']);
  assert.deepEqual(await offered('gantry', 'run', '--network', 'ba'), ['backend']);
  assert.deepEqual(await offered('gantry', '-c', ''), ['default']);
  assert.deepEqual(await offered('gantry', '-D', 'volume', 'rm', 'd'), ['data']);
  assert.deepEqual(await offered('gantry', '--log-level', ''), []);
  assert.deepEqual(await offered('gantry', 'help', 'volume', 'pru'), ['prune']);
  assert.deepEqual(await offered('gantry', 'completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(await offered('gantry', 'run', '--restart', 'on'), ['on-failure']);
  assert.deepEqual(await offered('gantry', 'run', '--network=ba'), ['--network=backend']);
});

test('an argument is completed by what may stand in its place', async () => {
  assert.deepEqual((await offered('gantry', 'network', 'disconnect', 'b')).toSorted(), ['backend', 'bridge']);
  assert.deepEqual(await offered('gantry', 'network', 'disconnect', '-f', 'backend', 'b'), ['box']);
  assert.deepEqual(await offered('gantry', 'network', 'disconnect', 'backend', 'box', ''), []);
  assert.deepEqual(await offered('gantry', 'run', '-it', '--name', 'x', 'busybox', 'b'), []);
  assert.deepEqual(await offered('gantry', 'rm', '-fv', 'other', 'b'), ['box']);
});

/** How a shell without its user's settings is begun, and what makes it complete. Under npm zsh would have the keys of vi (EDITOR). */
const SHELLS: Readonly<Record<string, { cmd: string[]; load: string }>> = {
  bash: { cmd: ['bash', '--norc', '--noprofile', '-i'], load: 'source <(gantry completion bash)' },
  zsh: {
    cmd: ['zsh', '-f', '-i'],
    load: 'bindkey -e; autoload -U compinit; compinit -D -u; source <(gantry completion zsh)',
  },
  fish: { cmd: ['fish', '--no-config', '-i'], load: 'gantry completion fish | source' },
};
/** What is typed, and what the tab key adds to it. */
const TYPED: readonly [string, string][] = [
  ['gantry versi', 'on'],
  ['gantry volume rm da', 'ta'],
  ['gantry run busybox:la', 'test'],
  ['gantry run --network=ba', 'ckend'],
  ['gantry load --input /etc/passw', 'd'],
];
for (const [shell, { cmd, load }] of Object.entries(SHELLS)) {
  const absent = spawnSync(shell, ['--version']).error !== undefined;
  const skip = absent ? `${shell} is not installed` : false;
  test(`${shell} completes what is typed in a terminal`, { skip }, async () => {
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      DOCKER_HOST: daemon.host,
      DOCKER_CONFIG: `${daemon.root}/config`,
      HOME: daemon.root,
      TERM: 'dumb',
    };
    const script: Step[] = [
      { send: `${load}; echo read''y\r` },
      { expect: 'ready' },
      // The completed line, with `echo` put before it.
      ...TYPED.flatMap(([typed, added]): Step[] => [
        { send: `${typed}\t\x01echo GOT \r` },
        { expect: `GOT ${typed}${added}` },
        { expect: `GOT ${typed}${added}` },
      ]),
      { send: 'exit\r' },
    ];
    await programInTerminal(cmd, script, { env, cols: 200 });
  });
}
