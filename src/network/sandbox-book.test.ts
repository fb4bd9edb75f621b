import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openDatabase } from '../state/index.ts';
import { NetworkBook } from './network-book.ts';
import { SandboxBook } from './sandbox-book.ts';
import { NetworkStore, type StoredSandbox } from './store.ts';

it('a sandbox that was left half taken apart, its network removed since, can be opened and closed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gt-sandbox-'));
  const db = openDatabase(join(directory, 'state.db'));
  try {
    const store = new NetworkStore(db);
    const endpoint = { networkId: 'gone', endpointId: 'e', ipv4: '10.9.0.2/24', ipv6: '', hostIfname: 'veth0' };
    store.saveSandbox({
      containerId: 'c',
      sandboxId: 's',
      kind: 'own',
      endpoints: [endpoint],
    } as unknown as StoredSandbox);
    const book = new SandboxBook(directory, store, new NetworkBook(store));
    assert.deepEqual(book.must('c').endpoints, []);
  } finally {
    db.close();
    rmSync(directory, { recursive: true });
  }
});
