import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
let scratch: string;

before(async () => {
  daemon = await TestDaemon.start();
  scratch = mkdtempSync(join(tmpdir(), 'gt-build-'));
});
after(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon[Symbol.asyncDispose]();
});

for (const cli of ['gantry', 'docker'] as const)
  describe(`building with ${cli}`, { skip: cli === 'docker' && !hasDockerCli }, () => {
    test('standard input is a Dockerfile of any length, or an archive', async () => {
      const line = await daemon[cli](['build', '-t', 'from/line', '-'], { input: 'FROM busybox' });
      assert.equal(line.code, 0, line.stderr);

      const long = `FROM busybox\n${'# a comment\n'.repeat(10_000)}ENV LAST=one\n`;
      assert.equal((await daemon[cli](['build', '-t', 'from/text', '-'], { input: long })).code, 0);
      assert.match(await daemon.ok('image', 'inspect', '-f', '{{.Config.Env}}', 'from/text'), /LAST=one/);

      const context = join(scratch, cli);
      mkdirSync(context);
      writeFileSync(join(context, 'Dockerfile.of'), 'FROM busybox\nCOPY data /data\n');
      writeFileSync(join(context, 'data'), 'x'.repeat(1_000_000));
      for (const flag of ['-c', '-cz', '-cJ']) {
        const input = execFileSync('tar', ['-C', context, flag, '.']);
        const built = await daemon[cli](['build', '-t', 'from/archive', '-f', 'Dockerfile.of', '-'], { input });
        assert.equal(built.code, 0, `${flag}: ${built.stderr}`);
        assert.equal(await daemon.ok('run', '--rm', 'from/archive', 'wc', '-c', '/data'), '1000000 /data');
      }

      const empty = await daemon[cli](['build', '-'], { input: '' });
      assert.deepEqual([empty.code, /cannot be empty/.test(empty.stderr)], [1, true]);
    });

    test('history names the steps as Docker does', async () => {
      const steps = await daemon[cli](['build', '-q', '-t', 'from/steps', '-'], {
        input:
          'FROM busybox\nVOLUME /a /b\nHEALTHCHECK --interval=90s --timeout=1500ms --retries=2 CMD true\nWORKDIR /w\nSHELL ["/bin/sh", "-ec"]\nCOPY <<f sub/\nf\n',
      });
      assert.equal(steps.code, 0, steps.stderr);
      const history = await daemon[cli](['history', '--no-trunc', '--format', '{{.CreatedBy}}', 'from/steps']);
      assert.deepEqual(
        history.stdout
          .replace(/[0-9a-f]{64}/, 'HASH')
          .split('\n')
          .slice(0, 5),
        [
          '/bin/sh -ec #(nop) COPY file:HASH in sub/ ',
          '/bin/sh -ec #(nop)  SHELL [/bin/sh -ec]',
          '/bin/sh -c #(nop) WORKDIR /w',
          '/bin/sh -c #(nop)  HEALTHCHECK &{[CMD-SHELL true] 1m30s 1.5s 0s 0s 2}',
          '/bin/sh -c #(nop)  VOLUME [/a /b]',
        ],
      );
    });
  });
