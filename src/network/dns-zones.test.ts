import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Zones } from './dns-zones.ts';
import type { SandboxNames } from './names.ts';

describe('names of containers', () => {
  const sandbox = (id: string, name: string, address: string, links: Record<string, string> = {}): SandboxNames => ({
    sandboxId: id,
    netnsPath: '',
    networks: ['n1'],
    upstreams: 'host',
    links,
    records: [{ network: 'n1', networkName: 'Net.One', names: [name], addresses: [address] }],
    internal: false,
  });
  const zones = new Zones();
  const asking = sandbox('a', 'web', '10.0.0.2', { Db1: 'Store.Main' });
  zones.set(asking);
  zones.set(sandbox('b', 'Store.Main', '10.0.0.3'));
  const found = (name: string) => zones.find(asking, name)?.ipv4.map((bytes) => [...bytes].join('.'));

  it('are found with dots in them and in the name of the network behind them', () => {
    for (const name of ['store.main', 'store.main.net.one']) assert.deepEqual(found(name), ['10.0.0.3'], name);
    assert.deepEqual(found('web.net.one'), ['10.0.0.2']);
    for (const name of ['store', 'web.one', 'web.net', 'net.one', '.net.one'])
      assert.equal(found(name), undefined, name);
  });

  it('are found by a link whatever its case, also with the network behind', () => {
    for (const name of ['db1', 'db1.net.one']) assert.deepEqual(found(name), ['10.0.0.3'], name);
  });
});
