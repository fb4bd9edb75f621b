import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasDockerCli, type Outcome, TestDaemon } from '../support/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'gt-tls-'));
const file = (name: string): string => join(dir, name);
let daemon: TestDaemon;
let host: string;

const openssl = (...args: string[]): void =>
  void execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    ...KEY,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  );
}
function certificate(name: string, by: string, days: number, extension: string): void {
  openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(file(`${name}.ext`), extension);
  const signer = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
  const validity = ['-days', String(days), '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, ...validity, '-out', `${name}.pem`);
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

before(async () => {
  authority('ca');
  authority('other');
  certificate('server', 'ca', 2, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  certificate('client', 'ca', 2, 'extendedKeyUsage=clientAuth\n');
  certificate('stranger', 'other', 2, 'extendedKeyUsage=clientAuth\n');
  certificate('expired', 'ca', -1, 'extendedKeyUsage=clientAuth\n');
  mkdirSync(file('good'));
  for (const [from, to] of Object.entries({ 'ca.pem': 'ca.pem', 'client.pem': 'cert.pem', 'client.key': 'key.pem' }))
    copyFileSync(file(from), join(dir, 'good', to));
  host = `tcp://127.0.0.1:${await freePort()}`;
  const server = ['--tlscacert', file('ca.pem'), '--tlscert', file('server.pem'), '--tlskey', file('server.key')];
  daemon = await TestDaemon.start({ args: ['-H', host, '--tlsverify', ...server], busybox: false });
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const clients: ['gantry', 'docker'] | ['gantry'] = hasDockerCli ? ['gantry', 'docker'] : ['gantry'];
const ASK = ['version', '-f', '{{.Server.Os}}'];
const pair = (name: string, ca = 'ca'): string[] => [
  `--tlscacert=${file(`${ca}.pem`)}`,
  `--tlscert=${file(`${name}.pem`)}`,
  `--tlskey=${file(`${name}.key`)}`,
];

for (const client of clients) {
  // A name nobody else has: the two command lines share the test's configuration.
  const context = `far-${client}`;
  const call = (args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> =>
    daemon[client](args, { env: { DOCKER_HOST: '', ...env } });
  const linux = async (args: readonly string[], env?: Record<string, string>): Promise<void> => {
    const outcome = await call([...args, ...ASK], env);
    assert.equal(outcome.stdout, 'linux\n', outcome.stderr);
  };
  const refused = async (args: readonly string[], message: RegExp, env?: Record<string, string>): Promise<void> => {
    const outcome = await call([...args, ...ASK], env);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, message);
    assert.doesNotMatch(outcome.stderr, /^\s+at /m);
  };

  test(`${client} reaches a daemon over TLS by flags and by the environment`, async () => {
    await linux(['-H', host, '--tlsverify', ...pair('client')]);
    await linux(['-H', host.slice('tcp://'.length), '--tls', ...pair('client', 'other')]);
    await linux([], { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: file('good') });
    await linux([], { DOCKER_HOST: host, DOCKER_TLS: '1', DOCKER_CERT_PATH: file('good') });
  });

  test(`${client} says what is wrong with certificates`, async () => {
    const secure = ['-H', host, '--tlsverify'];
    await refused([...secure, ...pair('client', 'other')], /x509: certificate signed by unknown authority/);
    await refused([...secure, ...pair('stranger')], /remote error: tls|EOF|connection was closed|broken pipe|reset/);
    await refused([...secure, ...pair('expired')], /remote error: tls|EOF|connection was closed|broken pipe|reset/);
    await refused(
      [...secure, ...pair('client').slice(0, 2), `--tlskey=${file('stranger.key')}`],
      /^Failed to initialize: failed to retrieve context tls info: tls: private key does not match public key$/m,
    );
    await refused(
      [...secure, `--tlscacert=${file('ca.key')}`],
      /^Failed to initialize: failed to retrieve context tls info: ca.pem seems invalid$/m,
    );
    await refused(
      secure,
      /^Failed to initialize: unable to resolve docker endpoint: open \/nope\/ca.pem: no such file or directory$/m,
      { DOCKER_CERT_PATH: '/nope' },
    );
    await refused(['-H', host], /EOF|does the daemon expect TLS/);
  });

  test(`${client} keeps certificates in a context, which can be exported, imported and changed`, async () => {
    const ok = async (...args: string[]): Promise<string> => {
      const outcome = await call(args);
      assert.equal(outcome.code, 0, outcome.stderr);
      return outcome.stdout;
    };
    const material = `ca=${file('ca.pem')},cert=${file('client.pem')},key=${file('client.key')}`;
    await ok('context', 'create', context, '--docker', `host=${host},${material}`);
    await linux(['-c', context]);
    await linux([], { DOCKER_CONTEXT: context });
    const archive = file(`${client}.dockercontext`);
    await ok('context', 'export', context, archive);
    await ok('context', 'import', `${context}-2`, archive);
    await linux(['-c', `${context}-2`]);
    const shown = await ok('context', 'inspect', `${context}-2`, '-f', '{{.TLSMaterial}}{{.Endpoints.docker.Host}}');
    assert.equal(shown, `map[docker:[ca.pem cert.pem key.pem]]${host}\n`);
    await ok('context', 'update', `${context}-2`, '--docker', `host=${host},skip-tls-verify=true`);
    await refused(['-c', `${context}-2`], /remote error: tls: certificate required|EOF|closed/);
    const both = await call(['-c', context, '-H', host, 'ps']);
    assert.equal(both.stderr, 'conflicting options: cannot specify both --host and --context\n');
    await ok('context', 'use', context);
    assert.equal(await ok('context', 'show'), `${context}\n`);
    const overridden = await call(['context', 'use', context], { DOCKER_HOST: host });
    assert.match(overridden.stderr, /Warning: DOCKER_HOST environment variable overrides the active context/);
    const bad = await call(['context', 'create', 'bad', '--docker', `host=${host},ca=/nope`]);
    assert.equal(bad.stderr, 'unable to create docker endpoint config: open /nope: no such file or directory\n');
    await ok('context', 'rm', '-f', context, `${context}-2`);
  });
}
