import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { execute } from '../support/index.ts';

const checkout = resolve(import.meta.dirname, '../..');
const SOCKET = '/run/gantry-doctor-test.sock';

interface Finding {
  name: string;
  state: 'good' | 'warning' | 'bad';
  text: string;
  advice?: string;
}

/** What the doctor finds where `spoil` was done to this machine, in namespaces of its own. */
async function diagnose(
  spoil: string,
  host = 'unix:///nowhere/s',
): Promise<{ code: number; found: Map<string, Finding> }> {
  const script = `${spoil}\nexec "${join(checkout, 'bin/gantry')}" system doctor --format json`;
  const outcome = await execute('unshare', ['-m', '-n', 'sh', '-ec', script], {
    env: { DOCKER_HOST: host, GANTRY_NO_AUTOSTART: '1' },
  });
  const findings = JSON.parse(outcome.stdout) as Finding[];
  return { code: outcome.code, found: new Map(findings.map((finding) => [finding.name, finding])) };
}

test('missing programs are named, with what to do, and are a failure', async () => {
  const { code, found } = await diagnose(
    'for f in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin; do for n in crun runc nft conmon; do\n' +
      'if [ -e $f/$n ]; then mount --bind /dev/null $f/$n; fi; done; done',
  );
  assert.equal(code, 1);
  for (const [name, program] of [
    ['runtime', 'crun or runc'],
    ['monitor', 'conmon'],
    ['nftables', 'nft'],
  ] as const) {
    assert.equal(found.get(name)?.state, 'bad');
    assert.equal(found.get(name)?.text, `${program} is not in the path`);
    assert.match(found.get(name)?.advice ?? '', new RegExp(`^install ${program}`));
  }
  assert.equal(found.get('firewall'), undefined);
});

test('forwarding that is off, cgroups that are gone and an absent daemon are told', async () => {
  const { code, found } = await diagnose(
    'echo 0 > /proc/sys/net/ipv4/ip_forward\numount -R /sys/fs/cgroup || mount -t tmpfs none /sys/fs/cgroup',
  );
  assert.equal(found.get('forwarding')?.state, 'warning');
  assert.match(found.get('forwarding')?.advice ?? '', /sysctl -w net\.ipv4\.ip_forward=1/);
  assert.equal(found.get('cgroups')?.state, 'bad');
  assert.match(found.get('cgroups')?.advice ?? '', /^mount -t cgroup2/);
  assert.equal(found.get('daemon')?.state, 'warning');
  assert.match(found.get('daemon')?.advice ?? '', /DOCKER_HOST/);
  assert.equal(code, 1);
});

test('a data root that is nearly full is a failure', async () => {
  const info = { ServerVersion: '1', DefaultRuntime: 'crun', DockerRootDir: '/mnt', Warnings: null };
  const server = createServer((_, response) => response.end(JSON.stringify(info)));
  await new Promise<void>((done) => void server.listen(SOCKET, done));
  try {
    const { code, found } = await diagnose('mount -t tmpfs -o size=10m none /mnt', `unix://${SOCKET}`);
    assert.equal(found.get('disk space')?.state, 'bad');
    assert.match(found.get('disk space')?.text ?? '', /^10\.\d*MB free below \/mnt$/);
    assert.equal(found.get('daemon')?.state, 'good');
    assert.equal(code, 1);
  } finally {
    server.close();
  }
});
