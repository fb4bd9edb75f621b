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

    it('warns of what has no effect or may fail', async () => {
      const ports = await run('--net', 'host', '-p', '80:80', 'busybox', 'true');
      assert.equal(ports.stderr, 'WARNING: Published ports are discarded when using host network mode\n');
      const dns = await run('--dns', '127.0.0.1', 'busybox', 'true');
      assert.match(dns.stderr, /^WARNING: Localhost DNS .*127\.0\.0\.1.* may fail in containers\.\n$/);
    });

    it('removes several and names each as it was given, in that order', async () => {
      for (const name of ['one', 'two', 'three'])
        assert.equal((await daemon[cli](['create', '--name', name, 'busybox', 'true'])).code, 0);
      const removed = await daemon[cli](['rm', 'three', '/one', 'nosuch', 'two']);
      assert.deepEqual([removed.code, removed.stdout], [1, 'three\n/one\ntwo\n']);
      assert.match(removed.stderr, /No such container: nosuch/);
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
