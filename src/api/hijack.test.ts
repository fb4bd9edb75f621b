import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { invalid } from '../common/index.ts';
import type { AttachSession } from '../engine/index.ts';
import { frame } from './frames.ts';
import { openTestApi, type TestApi } from './test-api.ts';

/** A process that says its input back, then a line on stderr at the input's end. */
function echo(tty = false): AttachSession & { closed: Promise<void> } {
  const stdin = new PassThrough();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  async function* output(): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
    for await (const chunk of stdin) yield { stream: 1, data: chunk as Buffer };
    yield { stream: 2, data: Buffer.from('bye') };
  }
  return {
    tty,
    stdin,
    output: output(),
    closed,
    close: () => {
      stdin.destroy();
      resolve();
    },
  };
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const attachHead = (extra: string, version = 'v1.51') =>
  `POST /${version}/containers/x/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n${extra}\r\n`;

async function talk(api: TestApi, head: string): Promise<{ head: string; rest: string }> {
  const client = await api.connect();
  // The process's input comes in the same packet as the request, before any answer.
  client.send(`${head}early `);
  await client.until('early');
  client.send('late');
  client.socket.end();
  const text = await client.end();
  client.socket.destroy();
  const cut = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, cut), rest: text.slice(cut + 4) };
}

const framed =
  frame(1, Buffer.from('early ')).toString('latin1') +
  frame(1, Buffer.from('late')).toString('latin1') +
  frame(2, Buffer.from('bye')).toString('latin1');

describe('attach', () => {
  it('upgrades the connection, frames output and keeps the connection open after the input has ended', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo() } });
    const { head, rest } = await talk(api, attachHead(UPGRADE));
    assert.match(
      head,
      /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp/,
    );
    assert.equal(rest, framed);
  });
  it('does so too for a client that does not ask for an upgrade', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo() } });
    const { head, rest } = await talk(api, attachHead(''));
    assert.match(head, /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream/);
    assert.equal(rest, framed);
  });
  it('sends the bytes of a terminal as they are', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo(true) } });
    const { head, rest } = await talk(api, attachHead(UPGRADE));
    assert.match(head, /raw-stream/);
    assert.equal(rest, 'early latebye');
  });
  it('leaves HTTP on a connection that carried other requests, behind the body that some clients send', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo(true) } });
    const client = await api.connect();
    client.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
    await client.until('OK');
    const body = '{"stream":true}';
    client.send(
      `POST /containers/x/attach?stream=1 HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{"str`,
    );
    await new Promise((done) => setTimeout(done, 20));
    client.send(`${body.slice(5)}GET / early `);
    await client.until('early ');
    client.send('late');
    client.socket.end();
    assert.match(await client.end(), /200 OK[\s\S]*200 OK\r\nContent-Type: [\s\S]*\r\n\r\nGET \/ early latebye$/);
    client.socket.destroy();
  });
  it('does not tell clients before 1.42 of the framed media type', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo() } });
    assert.match((await talk(api, attachHead(UPGRADE, 'v1.41'))).head, /raw-stream/);
  });
  it('closes the session when the client goes away', async () => {
    const session = echo();
    await using api = await openTestApi({ containers: { attach: async () => session } });
    const client = await api.connect();
    client.send(attachHead(UPGRADE));
    await client.until('101');
    client.socket.destroy();
    await session.closed;
  });
  it('answers an error as any other request', async () => {
    await using api = await openTestApi({
      containers: {
        attach: async () => {
          throw invalid('no');
        },
      },
    });
    const client = await api.connect();
    client.send(attachHead(UPGRADE));
    assert.match(await client.end(), /^HTTP\/1\.1 400 Bad Request[\s\S]*\{"message":"no"\}/);
    client.socket.destroy();
  });
});

describe('exec', () => {
  const start = (body: string, extra = '') =>
    `POST /exec/e/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`;
  it('reads its body, then leaves HTTP, with and without an upgrade', async () => {
    await using api = await openTestApi({ execs: { start: async () => echo() } });
    assert.equal((await talk(api, start('{"Tty":true}', UPGRADE))).rest, 'early latebye');
    assert.equal((await talk(api, start('{}'))).rest, framed);
  });
  it('frames by what the start says of a terminal, whatever the exec has', async () => {
    await using api = await openTestApi({ execs: { start: async () => echo(true) } });
    assert.equal((await talk(api, start('{"Tty":false}', UPGRADE))).rest, framed);
  });
  it('answers a detached one at once', async () => {
    await using api = await openTestApi({ execs: { start: async () => undefined } });
    const client = await api.connect();
    client.send(start('{"Detach":true}'));
    assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK/);
    client.socket.destroy();
  });
  it('says in its output why a process could not be started', async () => {
    await using api = await openTestApi({
      execs: {
        start: async () => ({
          tty: false,
          // biome-ignore lint/correctness/useYield: it fails before it has anything to say
          output: (async function* (): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
            throw invalid('OCI runtime exec failed: no such program');
          })(),
          close: () => {},
        }),
      },
    });
    const client = await api.connect();
    client.send(start('{}', UPGRADE));
    assert.match(await client.end(), /^HTTP\/1\.1 101 [\s\S]*no such program\r\n$/);
    client.socket.destroy();
  });
  it('serves a plain one behind another request on the same connection', async () => {
    await using api = await openTestApi({
      execs: {
        start: async () => ({
          tty: true,
          output: (async function* () {
            yield { stream: 1 as const, data: Buffer.from('done') };
          })(),
          close: () => {},
        }),
      },
    });
    const client = await api.connect();
    client.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
    await client.until('OK');
    client.send(start('{}'));
    assert.match(await client.end(), /HTTP\/1\.1 200 OK[\s\S]*raw-stream[\s\S]*\0\x04done$/);
    client.socket.destroy();
  });
});

describe('websocket attach', () => {
  it('carries the streams in binary messages', async () => {
    await using api = await openTestApi({ containers: { attach: async () => echo() } });
    const client = await api.connect();
    client.send(
      'GET /containers/x/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await client.until('\r\n\r\n');
    // A masked binary frame (RFC 6455, 5.2) with a zero key: "hi".
    client.send(Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    assert.ok((await client.until('\x82\x02hi')).startsWith('HTTP/1.1 101'));
    client.socket.destroy();
  });
});
