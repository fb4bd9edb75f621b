import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointsOf, isInsecure } from './endpoints.ts';
import { proxyFor } from './proxy.ts';

test('loopback and named registries need no trusted TLS', () => {
  const named = ['registry.example:5000', 'plain.example', '10.1.0.0/16', 'fd00::/8'];
  const table: Record<string, boolean> = {
    'localhost:5000': true,
    '127.0.0.1': true,
    '127.9.9.9:80': true,
    '[::1]:5000': true,
    'registry.example:5000': true,
    'registry.example:5001': false,
    'plain.example:99': true,
    '10.1.2.3:5000': true,
    '10.2.2.3:5000': false,
    '[fd00::1]:5000': true,
    '[fe80::1]:5000': false,
    'other.example': false,
  };
  for (const [host, insecure] of Object.entries(table)) assert.equal(isInsecure(host, named), insecure, host);
});

test('plain HTTP is tried last and only where it may be; mirrors come first and only for pulls of the Hub', () => {
  const config = { insecure: ['plain.example'], mirrors: ['https://mirror.example/'] };
  const urls = (domain: string, purpose: 'pull' | 'push') => endpointsOf(domain, config, purpose).map(({ url }) => url);
  assert.deepEqual(urls('registry.example', 'pull'), ['https://registry.example']);
  assert.deepEqual(urls('plain.example', 'push'), ['https://plain.example', 'http://plain.example']);
  assert.deepEqual(urls('docker.io', 'pull'), ['https://mirror.example', 'https://registry-1.docker.io']);
  assert.deepEqual(urls('docker.io', 'push'), ['https://registry-1.docker.io']);
});

test('proxies are chosen by scheme and NO_PROXY, never for loopback', () => {
  const proxies = {
    http: 'http://p:1',
    https: 'q:2',
    none: 'direct.example, .sub.example,10.0.0.0/8,ported.example:444',
  };
  const table: Record<string, string | undefined> = {
    'http://a.example': 'http://p:1',
    'https://a.example': 'http://q:2',
    'https://localhost:5000': undefined,
    'https://127.0.0.1': undefined,
    'https://direct.example': undefined,
    'https://x.direct.example': undefined,
    'https://a.sub.example': undefined,
    'https://sub.example': 'http://q:2',
    'https://10.3.4.5': undefined,
    'https://ported.example:444': undefined,
    'https://ported.example': 'http://q:2',
  };
  for (const [url, proxy] of Object.entries(table)) assert.equal(proxyFor(new URL(url), proxies), proxy, url);
  assert.equal(proxyFor(new URL('https://a.example'), { ...proxies, none: '*' }), undefined);
});
