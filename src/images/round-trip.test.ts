import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { FakeRegistry } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import { account, makeTree } from '../../test/support/tree.ts';
import { packDirectory } from '../archive/index.ts';
import { isWhiteout } from '../archive/tree.ts';
import { AT_FDCWD, statAt } from '../sys/index.ts';

const options = { skip: process.getuid?.() === 0 ? false : 'needs root' };
const LONG = `${'long-'.repeat(40)}name`;

/** Gives the account of an image's files as a container sees them. */
async function seen<T>(store: TestImages, image: string, look: (root: string) => T | Promise<T>): Promise<T> {
  const { chainId } = store.images.resolve(image);
  await store.layers.createSnapshot('look', { ...(chainId === undefined ? {} : { parent: chainId }), owner: 'test' });
  try {
    return await look(await store.layers.mount('look'));
  } finally {
    await store.layers.removeSnapshot('look');
  }
}

/** What a container may do to the tree of its image: new, changed, removed, replaced, renamed. */
function change(root: string): void {
  rmSync(join(root, 'large'));
  rmSync(join(root, 'sub/link'));
  rmSync(join(root, 'replaced'), { recursive: true });
  mkdirSync(join(root, 'replaced'));
  writeFileSync(join(root, 'replaced/new'), 'new');
  rmSync(join(root, 'becomes-file'), { recursive: true });
  writeFileSync(join(root, 'becomes-file'), 'a file');
  chmodSync(join(root, 'sub/deep'), 0o711);
  mkdirSync(join(root, LONG, LONG), { recursive: true });
  writeFileSync(join(root, LONG, LONG, LONG), 'deep');
  writeFileSync(join(root, 'one'), 'linked');
  execFileSync('ln', [join(root, 'one'), join(root, 'two')]);
  renameSync(join(root, 'ümläut'), join(root, 'renamed'));
  execFileSync('chown', ['-h', '7:8', join(root, 'fifo')]);
}

test(
  'a tree and a container’s changes to it come through import, commit, save, load, push, pull and export',
  options,
  async (t) => {
    const first = await openTestImages(t);
    const tree = join(first.root, 'tree');
    makeTree(tree);
    for (const name of ['replaced/old', 'becomes-file/inside']) {
      mkdirSync(join(tree, name, '..'), { recursive: true });
      writeFileSync(join(tree, name), 'below');
    }
    const { signal } = first;
    const importInto = (store: TestImages, directory: string, repo: string) =>
      store.images.importArchive(packDirectory(directory, '/', { as: '' }), { repo, source: '-', signal });
    const base = await importInto(first, tree, 'base');
    assert.deepEqual(await seen(first, 'base', account), account(tree), 'import');

    await first.layers.createSnapshot('box', { parent: base.chainId!, owner: 'container' });
    change(await first.layers.mount('box'));
    const wanted = account(await first.layers.mount('box'));
    await first.layers.unmount('box');
    assert.ok(isWhiteout(statAt(AT_FDCWD, join(first.layers.paths('box').upper, 'large'))));
    await first.images.commit({
      snapshotId: 'box',
      parentImageId: base.id,
      config: { Cmd: ['sh'] },
      repo: 'made',
      createdBy: 'sh',
      signal,
    });
    await first.layers.removeSnapshot('box');
    assert.deepEqual(await seen(first, 'made', account), wanted, 'commit');

    const second = await openTestImages(t);
    const archive = Buffer.concat(await Array.fromAsync(first.images.save(['made'], { signal })));
    await second.images.load(Readable.from([archive]), { progress: () => {}, signal });
    assert.deepEqual(await seen(second, 'made', account), wanted, 'save and load');

    await using registry = await FakeRegistry.start();
    const name = `${registry.host}/made`;
    await second.images.tag('made', name);
    await second.images.push({ image: name, tag: 'latest', progress: () => {}, signal });
    const third = await openTestImages(t);
    await third.images.pull({ image: name, progress: () => {}, signal });
    assert.deepEqual(await seen(third, name, account), wanted, 'push and pull');

    const exported = await seen(third, name, async (root) =>
      Buffer.concat(await Array.fromAsync(packDirectory(root, '/', { as: '' }))),
    );
    await third.images.importArchive(Readable.from([exported]), { repo: 'flat', source: '-', signal });
    assert.deepEqual(await seen(third, 'flat', account), wanted, 'export and import');
  },
);
