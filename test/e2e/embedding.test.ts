import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { busyboxTar, execute } from '../support/index.ts';

const checkout = resolve(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'gt-embed-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** The package as npm would install it: what is built, beside its dependencies, and nothing of the checkout's sources. */
function install(): void {
  const modules = join(home, 'node_modules');
  mkdirSync(join(modules, 'gantry'), { recursive: true });
  for (const part of ['package.json', 'dist', 'bin'])
    cpSync(join(checkout, part), join(modules, 'gantry', part), { recursive: true });
  for (const name of readdirSync(join(checkout, 'node_modules')))
    symlinkSync(join(checkout, 'node_modules', name), join(modules, name));
}

const PROGRAM = `
import { createReadStream } from 'node:fs';
import { createEngine, Filters, isKind } from 'gantry';
import { createClient } from 'gantry/client';

const home = process.argv[2];
const signal = AbortSignal.timeout(60_000);
const roots = { dataRoot: home + '/data', execRoot: home + '/run', hosts: ['unix://' + home + '/api'] };
{
  await using gantry = await createEngine(roots);
  const { containers, images, logs } = gantry.engine;
  await images.importArchive(createReadStream(home + '/busybox.tar'), { repo: 'busybox', tag: 'latest', signal, source: '-' });
  const { Id } = await containers.create({ Image: 'busybox', Cmd: ['echo', 'hello'] }, { name: 'greeter' });
  const { result } = await containers.wait(Id, 'next-exit', signal);
  await containers.start(Id);
  console.log(JSON.stringify(await result));
  const { output } = await logs.read(Id, { follow: false, stdout: true, stderr: true, timestamps: false, tail: 'all', details: false, signal });
  for await (const { data } of output) process.stdout.write(data);
  const client = createClient({ host: roots.hosts[0] });
  console.log((await client.containers.list({ all: true })).map(({ Names }) => Names[0]).join());
  await createEngine({ ...roots, hosts: [] }).catch((error) => console.log('second', isKind(error, 'conflict')));
}
{
  await using gantry = await createEngine(roots);
  await gantry.engine.containers.remove('greeter', { force: true });
  console.log('left', (await gantry.engine.containers.list({ all: true, filters: new Filters() })).length);
}
`;

const TYPED = `
import { createEngine } from 'gantry';
const gantry = await createEngine({ dataRoot: '/a', execRoot: '/b' });
const answer: { Id: string } = await gantry.engine.containers.create({ Image: 'busybox' }, { name: 'x' });
// @ts-expect-error an option that does not exist
await createEngine({ dataRoot: '/a', execRoot: '/b', nothing: answer });
`;

test('a program embeds the engine as an installed package, with types, and finds everything again', async () => {
  install();
  writeFileSync(join(home, 'busybox.tar'), await busyboxTar());
  writeFileSync(join(home, 'main.mjs'), PROGRAM);
  const ran = await execute(join(checkout, 'bin/node'), [join(home, 'main.mjs'), home], { timeoutMs: 120_000 });
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout, '{"StatusCode":0}\nhello\n/greeter\nsecond true\nleft 0\n');
  writeFileSync(join(home, 'typed.mts'), TYPED);
  const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
  const types = join(home, 'node_modules/gantry/dist/types');
  const emitted = await execute(join(checkout, 'bin/node'), [tsc, '-p', 'tsconfig.types.json', '--outDir', types], {
    cwd: checkout,
  });
  assert.equal(emitted.code, 0, emitted.stdout);
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'esnext',
    '--types',
    'node',
    '--skipLibCheck',
  ];
  const checked = await execute(join(checkout, 'bin/node'), [tsc, ...options, join(home, 'typed.mts')], { cwd: home });
  assert.equal(checked.code, 0, checked.stdout);
});
