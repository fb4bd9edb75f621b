import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { FakeRegistry } from '../../test/support/fake-registry.ts';
import { silentLogger } from '../common/index.ts';
import { DOCKER, openRegistries } from './index.ts';
import { proxyFor } from './proxy.ts';

test('a proxy is chosen as Go chooses it', () => {
  const proxies = {
    http: 'http://plain:3128',
    https: 'secure:3129',
    none: 'exempt.test,.sub.test,10.0.0.0/8,port.test:81',
  };
  const table: Record<string, string | undefined> = {
    'http://registry.test/v2/': 'http://plain:3128',
    'https://registry.test/v2/': 'http://secure:3129',
    'https://exempt.test': undefined,
    'https://a.exempt.test': undefined,
    'https://sub.test': 'http://secure:3129',
    'https://a.sub.test': undefined,
    'http://10.1.2.3:5000': undefined,
    'http://port.test:81': undefined,
    'http://port.test:82': 'http://plain:3128',
    'http://127.0.0.1:5000': undefined,
    'http://[::1]:5000': undefined,
    'http://localhost': undefined,
  };
  for (const [url, expected] of Object.entries(table)) assert.equal(proxyFor(new URL(url), proxies), expected, url);
  assert.equal(proxyFor(new URL('https://registry.test'), { ...proxies, none: '*' }), undefined);
});

test('a registry behind a proxy that wants a password is reached through it', async () => {
  await using registry = await FakeRegistry.start();
  registry.addManifest('team/app', 'v1', DOCKER.manifest, { schemaVersion: 2, mediaType: DOCKER.manifest });
  const port = Number(registry.host.split(':')[1]);
  const seen: string[] = [];
  const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  // Forwards plain requests, and tunnels on CONNECT; either way the name is one that only it knows.
  const proxy = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (incoming.headers['proxy-authorization'] !== expected) {
      outgoing.writeHead(407).end();
      return;
    }
    const { pathname, search } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    request({ port, host: '127.0.0.1', path: pathname + search, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  proxy.on('connect', (incoming, client) => {
    seen.push(`CONNECT ${incoming.url}`);
    if (incoming.headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.pipe(client).pipe(upstream);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const address = `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const domain = 'registry.test:5000';
  const registries = openRegistries(
    { insecure: [domain], mirrors: [], certDirs: [], proxies: { http: address, https: address }, attempts: 1 },
    silentLogger,
  );
  try {
    const found = await registries.with(
      { domain, path: 'team/app' },
      { auth: undefined, purpose: 'pull', signal: new AbortController().signal },
      (repository) => repository.manifest('v1', new AbortController().signal),
    );
    assert.equal(found.mediaType, DOCKER.manifest);
    assert.ok(seen.includes('GET http://registry.test:5000/v2/team/app/manifests/v1'), seen.join('; '));
  } finally {
    await registries.close();
    proxy.closeAllConnections();
    proxy.close();
  }
});
