import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { notFound } from '../common/index.ts';
import { openTestApi } from './test-api.ts';

describe('progress streams', () => {
  it('end with the error as a message once they have begun', async () => {
    await using api = await openTestApi({
      images: {
        pull: async ({ progress }) => {
          progress({ status: 'Pulling' });
          throw notFound('manifest unknown');
        },
      },
    });
    const { status, body } = await api.ask('POST', '/images/create?fromImage=x&tag=latest');
    assert.equal(status, 200);
    assert.ok(body.includes('{"status":"Pulling"}\r\n'));
    assert.ok(body.includes('{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\r\n'));
  });
  it('have a status of their own for an error before', async () => {
    await using api = await openTestApi({
      images: {
        pull: async () => {
          throw notFound('no such registry');
        },
      },
    });
    const { status, body } = await api.ask('POST', '/images/create?fromImage=x');
    assert.equal(status, 404);
    assert.equal(body, '{"message":"no such registry"}\n');
  });
  it('stop the work when the client goes away', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using api = await openTestApi({
      build: {
        build: async ({ signal, onMessage }) => {
          onMessage({ stream: 'working' });
          await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
          resolve();
        },
      },
    });
    const client = await api.connect();
    client.send('POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n');
    await client.until('working');
    client.socket.destroy();
    await promise;
  });
});

describe('archives', () => {
  it('answer an error of the first byte with its status', async () => {
    const broken = () =>
      new Readable({
        read() {
          this.destroy(notFound('No such image: x'));
        },
      });
    await using api = await openTestApi({ images: { save: broken } });
    const { status, body } = await api.ask('GET', '/images/x/get');
    assert.equal(status, 404);
    assert.equal(body, '{"message":"No such image: x"}\n');
  });
  it('carry the stat of the path in a header', async () => {
    const stat = { name: 'f', size: 3, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' };
    await using api = await openTestApi({
      archive: { stat: async () => stat, get: async () => ({ stat, tar: Readable.from([Buffer.from('tar')]) }) },
    });
    for (const method of ['HEAD', 'GET']) {
      const { status, head } = await api.ask(method, '/containers/x/archive?path=/f');
      assert.equal(status, 200);
      const header = /X-Docker-Container-Path-Stat: (\S+)/i.exec(head)?.[1] ?? '';
      assert.deepEqual(JSON.parse(Buffer.from(header, 'base64').toString()), stat);
    }
  });
});

describe('wait', () => {
  it('sends its headers before the container has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<{ StatusCode: number }>();
    await using api = await openTestApi({ containers: { wait: async () => ({ result: promise }) } });
    const client = await api.connect();
    client.send('POST /containers/x/wait HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n');
    assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK/);
    resolve({ StatusCode: 7 });
    await client.until('{"StatusCode":7}');
    client.socket.destroy();
  });
});

describe('logs', () => {
  it('need a stream, and say in one of their own what goes wrong on the way', async () => {
    await using api = await openTestApi({
      logs: {
        read: async () => ({
          tty: false,
          output: (async function* () {
            yield { stream: 1 as const, data: Buffer.from('line\n') };
            throw new Error('disk is gone');
          })(),
        }),
      },
    });
    const refused = await api.ask('GET', '/containers/x/logs');
    assert.equal(refused.status, 400);
    assert.match(refused.body, /you must choose at least one stream/);
    const { head, body } = await api.ask('GET', '/containers/x/logs?stdout=1');
    assert.match(head, /multiplexed-stream/);
    assert.ok(body.includes('\x01\x00\x00\x00\x00\x00\x00\x05line\n'));
    assert.ok(body.includes('Error grabbing logs: disk is gone'));
  });
});
