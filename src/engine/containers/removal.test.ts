import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, internal, notFound } from '../../common/index.ts';
import { dropVolumes, type RemovalParts } from './removal.ts';

/** Volumes nobody holds, until they are to be removed. */
const partsWhere = (remove: (name: string) => Promise<void>): RemovalParts =>
  ({
    volumes: {
      find: (name: string) => ({ name }),
      holders: () => [],
      unmount: async () => {},
      release: () => {},
      remove,
    },
  }) as unknown as RemovalParts;

test('an anonymous volume that somebody takes at the last moment stays, and the removal goes on', async () => {
  const asked: string[] = [];
  const answers: Record<string, Error> = { taken: conflict('volume is in use'), gone: notFound('no such volume') };
  const parts = partsWhere(async (name) => {
    asked.push(name);
    if (answers[name] !== undefined) throw answers[name];
  });
  await dropVolumes('id', [], ['taken', 'gone', 'free'], parts);
  assert.deepEqual(asked, ['taken', 'gone', 'free']);
});

test('what else goes wrong with a volume is told', async () => {
  const parts = partsWhere(() => Promise.reject(internal('disk is broken')));
  await assert.rejects(dropVolumes('id', [], ['broken'], parts), /disk is broken/);
});
