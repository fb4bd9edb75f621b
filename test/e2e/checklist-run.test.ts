import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;

before(async () => {
  daemon = await TestDaemon.start();
});
after(() => daemon[Symbol.asyncDispose]());

for (const cli of ['gantry', 'docker'] as const)
  describe(`${cli} run`, { skip: cli === 'docker' && !hasDockerCli }, () => {
    const run = (...args: string[]) => daemon[cli](['run', '--rm', ...args]);

    it('knows a host name with a domain by its first part too', async () => {
      const names = async (...flags: string[]) =>
        (await run(...flags, 'busybox', 'tail', '-1', '/etc/hosts')).stdout.trim().split(/\s+/).slice(1);
      assert.deepEqual(await names('-h', 'web.example.org'), ['web.example.org', 'web']);
      assert.deepEqual(await names('-h', 'web', '--domainname', 'example.org'), ['web.example.org', 'web']);
    });

    it('ends with 125 when no daemon answers or the container cannot be made', async () => {
      const alone = await daemon[cli](['run', '--rm', 'busybox', 'true'], {
        env: { DOCKER_HOST: `unix://${daemon.root}/nobody` },
      });
      assert.equal(alone.code, 125);
      assert.match(
        alone.stderr,
        /^(gantry|docker): Cannot connect to the (Gantry|Docker) daemon at unix:.*[\s\S]*run --help/,
      );
      const file = await run('--cidfile', `${daemon.root}/nowhere/id`, 'busybox', 'true');
      assert.match(file.stderr, /failed to create the container ID file: open .*\/id: no such file or directory\n/);
    });
  });
