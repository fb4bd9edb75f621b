import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CreateContainerBody, ExecConfig } from '../wire/index.ts';
import { withSchemaKeys } from './go-keys.ts';

describe('names of fields', () => {
  it('match without regard to case, as in Go', () => {
    assert.deepEqual(withSchemaKeys({ detachKeys: 'ctrl-x', cmd: ['id'], Tty: true }, ExecConfig), {
      DetachKeys: 'ctrl-x',
      Cmd: ['id'],
      Tty: true,
    });
  });
  it('match inside of nested objects and lists, but names of maps stay', () => {
    const body = {
      labels: { Image: 'a', image: 'b' },
      hostconfig: { binds: ['/a:/b'], mounts: [{ type: 'bind', bindoptions: { propagation: 'rslave' } }] },
    };
    assert.deepEqual(withSchemaKeys(body, CreateContainerBody), {
      Labels: { Image: 'a', image: 'b' },
      HostConfig: { Binds: ['/a:/b'], Mounts: [{ Type: 'bind', BindOptions: { Propagation: 'rslave' } }] },
    });
  });
  it('that the schema does not know are left alone', () => {
    assert.deepEqual(withSchemaKeys({ unknown: { A: 1 }, __proto__: null }, ExecConfig), { unknown: { A: 1 } });
    assert.equal(withSchemaKeys('text', ExecConfig), 'text');
  });
});
