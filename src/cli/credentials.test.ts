import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConfigData, readConfig } from './config-file.ts';
import { allAuths, eraseAuth, HUB, registryAuth, storeAuth } from './credentials.ts';

/** A helper of Docker's protocol that keeps one secret a server in files, and notes how it was called. */
const HELPER = `#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> calls
read -r input
name() { printf %s "$1" | tr -c 'a-z0-9.\\n' _; }
case $1 in
  get) f=kept-$(name "$input"); if [ -e "$f" ]; then cat "$f"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  store) server=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); printf %s "$input" > "kept-$(name "$server")" ;;
  erase) rm -f "kept-$(name "$input")" ;;
esac
`;

function fresh(t: TestContext, data: ConfigData = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'gt-credentials-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'config.json'), JSON.stringify(data));
  for (const name of ['kept', 'other']) writeFileSync(join(dir, `docker-credential-${name}`), HELPER, { mode: 0o755 });
  writeFileSync(join(dir, 'docker-credential-broken'), '#!/bin/sh\necho no key ring\nexit 3\n', { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${dir}:${path}`;
  t.after(() => {
    process.env.PATH = path;
  });
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const open = () => ({ config: readConfig(dir, warn), warn });
  return { dir, open, warnings, file: () => JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as ConfigData };
}

const SECRET = { username: 'someone', password: 'hush:hush' };

test('without a helper credentials are in config.json as Docker keeps them, for their owner only', async (t) => {
  const { dir, open, file } = fresh(t, {
    detachKeys: 'ctrl-q',
    auths: { 'https://old.example/v1/': { auth: 'YTpi' } },
  });
  assert.equal(await storeAuth(open(), 'host:5000', SECRET), true);
  assert.equal(await storeAuth(open(), 'host:5000', SECRET), false);
  assert.equal(file().auths?.['host:5000']?.auth, Buffer.from('someone:hush:hush').toString('base64'));
  assert.equal(file().detachKeys, 'ctrl-q');
  assert.equal(statSync(join(dir, 'config.json')).mode & 0o777, 0o600);
  assert.deepEqual(await registryAuth(open(), 'host:5000'), { ...SECRET, serveraddress: 'host:5000' });
  // A key that an older client wrote as an address.
  assert.equal((await registryAuth(open(), 'old.example'))?.password, 'b');
  assert.equal(await registryAuth(open(), 'elsewhere'), undefined);
  await storeAuth(open(), HUB, { username: 'someone', identitytoken: 'token' });
  assert.equal((await registryAuth(open(), 'docker.io'))?.identitytoken, 'token');
  assert.equal(await eraseAuth(open(), 'host:5000'), true);
  assert.equal(await eraseAuth(open(), 'host:5000'), false);
  assert.deepEqual(Object.keys(file().auths ?? {}).toSorted(), [HUB, 'https://old.example/v1/']);
});

test('a credentials store keeps secrets out of config.json and out of argument lists', async (t) => {
  const { dir, open, file } = fresh(t, { credsStore: 'kept' });
  assert.equal(await storeAuth(open(), 'host:5000', SECRET), false);
  await storeAuth(open(), HUB, { username: 'someone', identitytoken: 'token-of-the-hub' });
  assert.deepEqual(file().auths, { 'host:5000': {}, [HUB]: {} });
  assert.deepEqual(await registryAuth(open(), 'host:5000'), { ...SECRET, serveraddress: 'host:5000' });
  assert.deepEqual(await registryAuth(open(), 'docker.io'), { identitytoken: 'token-of-the-hub', serveraddress: HUB });
  assert.equal(await registryAuth(open(), 'unknown.example'), undefined);
  assert.deepEqual(Object.keys(await allAuths(open())).toSorted(), [HUB, 'host:5000'].toSorted());
  assert.equal(await eraseAuth(open(), 'host:5000'), true);
  assert.equal(await registryAuth(open(), 'host:5000'), undefined);
  assert.deepEqual(Object.keys(file().auths ?? {}), [HUB]);
  assert.match(readFileSync(join(dir, 'calls'), 'utf8'), /^((get|store|erase)\n)+$/);
});

test('a helper of one registry goes before the store of all', async (t) => {
  const { dir, open, warnings } = fresh(t, { credsStore: 'broken', credHelpers: { 'host:5000': 'other' } });
  await storeAuth(open(), 'host:5000', SECRET);
  assert.equal((await registryAuth(open(), 'host:5000'))?.password, SECRET.password);
  assert.ok(existsSync(join(dir, 'kept-host_5000')));
  // As in Docker, what may need no credentials is tried without them.
  assert.equal(await registryAuth(open(), 'elsewhere'), undefined);
  assert.equal(warnings.join(), 'WARNING: error getting credentials - err: exit status 3, out: `no key ring`\n');
  await assert.rejects(storeAuth(open(), 'elsewhere', SECRET), /error storing credentials - err: exit status 3/);
  assert.equal(
    await registryAuth({ ...open(), config: { ...open().config, data: { credsStore: '' } } }, 'elsewhere'),
    undefined,
  );
});

test('a helper that is not installed is named', async (t) => {
  const { open, warnings } = fresh(t, { credsStore: 'absent' });
  assert.equal(await registryAuth(open(), 'host:5000'), undefined);
  assert.match(warnings.join(), /exec: "docker-credential-absent": executable file not found in \$PATH/);
  await assert.rejects(storeAuth(open(), 'host:5000', SECRET), /error storing credentials .*docker-credential-absent/);
});
