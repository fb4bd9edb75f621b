import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { recordedOf, startWithImage } from '../conformance/check.ts';
import { playWire, wire } from '../conformance/wire.ts';
import type { TestDaemon } from '../support/index.ts';

describe('requests as raw HTTP are answered as the reference dockerd answers', () => {
  let daemon: TestDaemon;
  const expected = new Map<string, string>();
  before(async () => {
    for (const { name, output } of await recordedOf('wire')) expected.set(name, output);
    daemon = await startWithImage();
  });
  after(() => daemon[Symbol.asyncDispose]());
  for (const scenario of wire)
    it(scenario.name, async () => {
      const output = await playWire(scenario, { host: daemon.host, image: 'conformance' });
      assert.equal(output, expected.get(scenario.name));
    });
});
