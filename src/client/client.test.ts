import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { ApiError, ConnectionError, createClient, demultiplex, jsonLines, parseEndpoint } from './index.ts';

test('addresses are read by their scheme', () => {
  assert.deepEqual(parseEndpoint('unix:///a/b'), { kind: 'unix', path: '/a/b', url: 'unix:///a/b' });
  assert.deepEqual(parseEndpoint('tcp://h', true), {
    kind: 'tcp',
    host: 'h',
    port: 2376,
    basePath: '',
    url: 'tcp://h',
  });
  assert.deepEqual(parseEndpoint('ssh://me@h:22/s'), {
    kind: 'ssh',
    user: 'me',
    host: 'h',
    port: 22,
    path: '/s',
    url: 'ssh://me@h:22/s',
  });
  assert.throws(() => parseEndpoint('bad://x'), /invalid bind address format: bad:\/\/x/);
  for (const [host, name, port] of [
    ['tcp://', 'localhost', 2375],
    ['tcp://:1', 'localhost', 1],
    ['tcp://[::1]:2', '::1', 2],
    ['tcp://h:3/path', 'h', 3],
  ] as const) {
    const endpoint = parseEndpoint(host);
    assert.deepEqual(endpoint.kind === 'tcp' && [endpoint.host, endpoint.port], [name, port], host);
  }
  for (const [host, message] of [
    ['tcp://x:y', 'parse "tcp://x:y": invalid port ":y" after host'],
    ['tcp://1.2.3.4:99999', 'parse "tcp://1.2.3.4:99999": invalid port ":99999" after host'],
    ['tcp://a b', 'parse "tcp://a b": invalid host'],
    ['ssh://', 'invalid SSH URL: ssh://'],
    ['ssh://u:p@h', 'invalid SSH URL: plain-text password is not supported'],
    ['ssh://h?x=1', 'invalid SSH URL: query parameters are not allowed: "x=1"'],
  ] as const)
    assert.throws(() => parseEndpoint(host), { message });
});

test('frames are split to their streams wherever the chunks are cut', async () => {
  const frame = (kind: number, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = kind;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const whole = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, ' more')]);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  await demultiplex(Readable.from([...whole].map((byte) => Buffer.from([byte]))), stdout, stderr);
  const text = (stream: PassThrough): string => {
    let all = '';
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) all += chunk;
    return all;
  };
  assert.equal(text(stdout), 'out more');
  assert.equal(text(stderr), 'err');
  await assert.rejects(
    demultiplex(Readable.from([frame(3, 'boom')]), stdout, stderr),
    /error from daemon in stream: boom/,
  );
});

test('JSON lines are read across chunks, several on a line too', async () => {
  const values: unknown[] = [];
  for await (const value of jsonLines(Readable.from([Buffer.from('{"a":1}\n{"b'), Buffer.from('":"}{"}{"c":3}\n')])))
    values.push(value);
  assert.deepEqual(values, [{ a: 1 }, { b: '}{' }, { c: 3 }]);
});

test('a daemon that is older makes the client speak its version; others are said as they are', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request.url ?? '');
    const old = request.url?.startsWith('/v1.40/');
    response.writeHead(old ? (request.url === '/v1.40/info' ? 200 : 404) : 400, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        old
          ? { message: 'No such thing' }
          : { message: 'client version 1.51 is too new. Maximum supported API version is 1.40' },
      ),
    );
  });
  await new Promise<void>((done) => server.listen(join(dir, 's'), done));
  try {
    const client = createClient({ host: `unix://${join(dir, 's')}` });
    await client.system.info();
    assert.deepEqual(seen, ['/v1.51/info', '/v1.40/info']);
    await assert.rejects(
      client.volumes.inspect('x'),
      (error) => error instanceof ApiError && error.status === 404 && error.message === 'No such thing',
    );
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});

test('an absent daemon is told from one that refuses', async () => {
  const client = createClient({ host: 'unix:///nonexistent/gantry.sock' });
  await assert.rejects(
    client.system.ping(),
    (error) =>
      error instanceof ConnectionError && error.reason === 'absent' && /Is gantryd running\?/.test(error.message),
  );
});
