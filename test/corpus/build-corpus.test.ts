import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { TestDaemon } from '../support/index.ts';
import { baseArchive, type CorpusCase, contextArchive, corpusCases, type Expectation, type Tree } from './corpus.ts';
import { imageTree } from './image-tree.ts';

const BASES = ['bc-busybox', 'bc-alpine', 'bc-debian'];
/** What the expectations compare of a configuration. */
const SETTINGS = [
  ...['Env', 'Cmd', 'Entrypoint', 'WorkingDir', 'User', 'ExposedPorts', 'Volumes', 'Labels', 'Healthcheck', 'Shell'],
  ...['StopSignal', 'OnBuild'],
];

let daemon: TestDaemon;
let base: Tree;
before(async () => {
  daemon = await TestDaemon.start({ busybox: false });
  const changes = `${encodeURIComponent('CMD ["sh"]')}&changes=${encodeURIComponent('ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')}`;
  const answer = await daemon.api(
    'POST',
    `/images/create?fromSrc=-&repo=${BASES[0]}&tag=latest&changes=${changes}`,
    await baseArchive(),
    { 'content-type': 'application/x-tar' },
  );
  assert.doesNotMatch(answer.text, /"error"/);
  for (const repo of BASES.slice(1)) await daemon.api('POST', `/images/${BASES[0]}/tag?repo=${repo}&tag=latest`);
  for (const tag of ['stable', '1.31', '1.32', 'stable-musl', 'musl', '1.2.3'])
    await daemon.api('POST', `/images/${BASES[0]}/tag?repo=${BASES[0]}&tag=${tag}`);
  base = await savedTree(BASES[0]!);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
});

/** `docker save`: bytes, which the daemon's `api` would take for text. */
async function savedTree(image: string): Promise<Tree> {
  const answer = await new Promise<IncomingMessage>((done, fail) => {
    get({ socketPath: daemon.socket, path: `/v1.51/images/${image}/get` }, done).on('error', fail);
  });
  const bytes = await buffer(answer);
  assert.equal(answer.statusCode, 200, `save of ${image}: ${bytes.subarray(0, 500)}`);
  return imageTree(bytes);
}

interface Built {
  error?: string;
  config?: Record<string, unknown>;
  files?: Tree;
}

async function build(one: CorpusCase): Promise<Built> {
  const tag = `bc-case-${createHash('sha256').update(one.name).digest('hex').slice(0, 12)}`;
  const query = new URLSearchParams({
    t: tag,
    nocache: '1',
    dockerfile: one.dockerfile,
    buildargs: JSON.stringify(one.buildArgs),
  });
  const answer = await daemon.api('POST', `/build?${query}`, await contextArchive(one), {
    'content-type': 'application/x-tar',
  });
  if (answer.status !== 200) return { error: answer.json.message };
  const last: { error?: string } = JSON.parse(answer.text.trim().split('\r\n').at(-1)!);
  if (last.error !== undefined) return { error: last.error };
  const image = (await daemon.api('GET', `/images/${tag}/json`)).json;
  return { config: settings(image), files: image.RootFS.Layers?.length > 0 ? await savedTree(tag) : {} };
}

function settings(image: {
  Config: Record<string, unknown>;
  Author?: string;
  Os: string;
  Architecture: string;
}): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const name of SETTINGS) {
    const value = image.Config[name];
    const isMap = name === 'ExposedPorts' || name === 'Volumes';
    const shown = isMap && value ? Object.keys(value).toSorted() : value;
    // BuildKit writes `/` where no directory was set, the classic builder nothing: one meaning.
    if (shown && Object.keys(shown).length > 0 && !(name === 'WorkingDir' && shown === '/')) all[name] = shown;
  }
  if (image.Author) all.Author = image.Author;
  return all;
}

/** The whole tree that is expected: the differences applied to the base image's. */
function expectedTree({ base: onBase, files = {}, removed = [] }: Expectation): Tree {
  const tree = { ...(onBase === true ? base : {}), ...files };
  for (const path of removed) delete tree[path];
  return tree;
}

/** A tree for comparison: without the content of files that differ from build to build. */
function comparable(tree: Tree, unstable: readonly string[]): Tree {
  return Object.fromEntries(
    Object.entries(tree)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, entry]) => {
        const { size, sha256, ...rest } = entry;
        return [path, unstable.includes(path) ? rest : entry];
      }),
  );
}

function check(built: Built, expected: Expectation): void {
  if (expected.error !== undefined) {
    assert.ok(built.error, `built, but the reference says: ${expected.error}`);
    return;
  }
  assert.equal(built.error, undefined);
  const { Os, Architecture, ...given } = expected.config!;
  const { WorkingDir, ...others } = given;
  const config = WorkingDir === '/' ? others : given;
  assert.deepEqual(built.config, config);
  const unstable = expected.volatile ?? [];
  assert.deepEqual(comparable(built.files!, unstable), comparable(expectedTree(expected), unstable));
}

describe('the corpus builds as the reference builds it', { concurrency: 2 }, () => {
  for (const one of corpusCases())
    test(`${one.name}, as ${Object.keys(one.expected).join(' or ')}`, async () => {
      const built = await build(one);
      const failures: unknown[] = [];
      for (const expected of Object.values(one.expected)) {
        try {
          check(built, expected);
          return;
        } catch (error) {
          failures.push(error);
        }
      }
      throw failures[0];
    });
});
