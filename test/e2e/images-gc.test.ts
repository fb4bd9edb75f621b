import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventually, TestDaemon, tarOf } from '../support/index.ts';

test('a policy in daemon.json removes what nobody uses or keeps, says so, and only then', async () => {
  await using daemon = await TestDaemon.start({ busybox: false });
  const add = async (name: string, changes = '') => {
    const path = `/images/create?fromSrc=-&repo=${name}&tag=latest${changes}`;
    const answer = await daemon.api('POST', path, await tarOf({ f: name }), { 'content-type': 'application/x-tar' });
    assert.equal(answer.status, 200, answer.text);
  };
  const names = async () =>
    ((await daemon.api('GET', '/images/json')).json as { RepoTags: string[] }[])
      .flatMap(({ RepoTags }) => RepoTags)
      .sort();
  await add('idle');
  await add('fresh');
  await add('labelled', '&changes=LABEL%20keep%3Dyes');
  await add('used');
  await daemon.api('POST', '/containers/create?name=user', { Image: 'used', Cmd: ['x'] });
  await daemon.terminate();
  const db = new DatabaseSync(join(daemon.dataRoot, 'state.db'));
  const old = '2020-01-01T00:00:00Z';
  db.prepare(
    "UPDATE images SET used = ?, tagged = ? WHERE id NOT IN (SELECT image FROM image_names WHERE name = 'fresh:latest')",
  ).run(old, old);
  db.close();

  const file = `${daemon.root}/daemon.json`;
  const gc = { maxAge: '24h', keepLabel: ['keep'], interval: '1s' };
  writeFileSync(file, JSON.stringify({ gc }));
  const since = Math.floor(Date.now() / 1000);
  await daemon.launch(['--config-file', file]);
  await eventually('the clean-up', async () => !(await names()).includes('idle:latest'));
  assert.deepEqual(await names(), ['fresh:latest', 'labelled:latest', 'used:latest']);
  const log = () => readFileSync(daemon.logFile, 'utf8');
  await eventually('the log line', async () => /gc removed 1 images/.test(log()));
  const until = Math.floor(Date.now() / 1000) + 1;
  const events = await daemon.api(
    'GET',
    `/events?since=${since}&until=${until}&filters={"event":["prune"],"type":["image"]}`,
  );
  assert.match(events.text, /"reason":"gc maxAge"/);

  writeFileSync(file, JSON.stringify({ gc: { maxAge: 'soon' } }));
  daemon.hangUp();
  await eventually('the refusal', async () =>
    /Error reloading configuration: .*maxAge|Error reloading.*duration/.test(log()),
  );
});
