import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestDaemon, tarOf } from '../support/index.ts';

const CLIENTS = 6;
const ROUNDS = 2;

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start({ busybox: false });
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

async function call(method: string, path: string, body?: unknown): Promise<Awaited<ReturnType<TestDaemon['api']>>> {
  const answer = await daemon.api(
    method,
    path,
    body,
    Buffer.isBuffer(body) ? { 'content-type': 'application/x-tar' } : {},
  );
  assert.ok(
    answer.status < 300 && !answer.text.includes('"error"'),
    `${method} ${path}: ${answer.status} ${answer.text}`,
  );
  return answer;
}

const clients = (work: (name: string) => Promise<void>) =>
  Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let round = 0; round < ROUNDS; round++) await work(`racer${client}-${round}`);
    }),
  );

test('clients that come and go with images of the same content never take it from each other', async () => {
  const archive = await tarOf({ f: 'x' });
  await clients(async (name) => {
    await call('POST', `/images/create?fromSrc=-&repo=${name}&tag=a`, archive);
    await call('POST', `/containers/create?name=${name}`, { Image: `${name}:a`, Cmd: ['x'] });
    await call('POST', `/commit?container=${name}&repo=${name}&tag=b`, {});
    await call('DELETE', `/containers/${name}`);
    await call('DELETE', `/images/${name}:b`);
    await call('DELETE', `/images/${name}:a`);
  });
  assert.deepEqual((await call('GET', '/images/json?all=1')).json, []);
});

test('an image that is saved stays whole for its reader while others remove what it shares', async () => {
  const archive = await tarOf({ f: 'x'.repeat(100_000) });
  await call('POST', '/images/create?fromSrc=-&repo=kept&tag=a', archive);
  const { bytes: saved } = await call('GET', '/images/kept:a/get');
  await call('DELETE', '/images/kept:a');
  await clients(async (name) => {
    await call('POST', '/images/load', saved);
    // Somebody may have removed the name in between: then it is a 404, and never anything else.
    const tagged = await daemon.api('POST', `/images/kept:a/tag?repo=${name}&tag=a`);
    if (tagged.status === 404) return;
    assert.equal(tagged.status, 201, tagged.text);
    const [again] = await Promise.all([call('GET', `/images/${name}:a/get`), daemon.api('DELETE', '/images/kept:a')]);
    await call('DELETE', `/images/${name}:a`);
    await call('POST', '/images/load', again.bytes);
  });
  await daemon.api('DELETE', '/images/kept:a');
});
