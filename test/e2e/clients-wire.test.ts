import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestDaemon } from '../support/index.ts';

/** What clients do below their libraries: raw requests on connections that they hold, half-close or drop. */
describe('clients on the wire', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
    await daemon.ok('run', '-d', '-i', '--name', 'host', '--ulimit', 'nofile=1000:2000', 'busybox', 'cat');
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  /** Sends a request and gives the connection, with what comes until the text. */
  async function ask(head: string, body: string, until: string): Promise<{ socket: Socket; text: string }> {
    const socket = connect({ path: daemon.socket, allowHalfOpen: true });
    socket.on('error', () => {});
    const lines = [head, 'Host: d', 'Content-Type: application/json', `Content-Length: ${body.length}`];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    return { socket, text: await readUntil(socket, until) };
  }
  function readUntil(socket: Socket, wanted: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = '';
      const read = (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (!text.includes(wanted)) return;
        socket.off('data', read);
        socket.pause();
        resolve(text);
      };
      socket.on('data', read);
      socket.on('end', () => reject(new Error(`ended without ${JSON.stringify(wanted)}: ${JSON.stringify(text)}`)));
      socket.resume();
    });
  }
  const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp';
  async function execOf(body: Record<string, unknown>): Promise<string> {
    return ((await daemon.api('POST', '/containers/host/exec', body)).json as { Id: string }).Id;
  }
  const running = async (id: string) =>
    ((await daemon.api('GET', `/exec/${id}/json`)).json as { Running: boolean }).Running;
  async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) if (await holds()) return;
    assert.fail(what);
  }

  it('an exec is answered before its process starts', async () => {
    const id = await execOf({ Cmd: ['sh', '-c', 'read line'], AttachStdin: true, AttachStdout: true });
    const { socket, text } = await ask(`POST /exec/${id}/start HTTP/1.1\r\n${UPGRADE}`, '{}', '\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 101 UPGRADED/);
    socket.destroy();
  });

  it('keys that are none are refused before anything begins', async () => {
    const attached = await daemon.api('POST', '/containers/host/attach?stream=1&stdin=1&detachKeys=bogus-x');
    assert.deepEqual([attached.status, attached.json.message], [400, 'Invalid detach keys (bogus-x) provided']);
    const exec = await daemon.api('POST', '/containers/host/exec', { Cmd: ['true'], DetachKeys: 'bogus-x' });
    assert.deepEqual([exec.status, exec.json.message], [400, 'Invalid escape keys (bogus-x) provided']);
  });

  it('detach keys leave an exec that goes on; names of fields may be in any case', async () => {
    const id = await execOf({ cmd: ['cat'], attachStdin: true, attachStdout: true, tty: true, detachKeys: 'ctrl-x' });
    const { socket } = await ask(`POST /exec/${id}/start HTTP/1.1\r\n${UPGRADE}`, '{"tty":true}', '\r\n\r\n');
    socket.write('hi\n');
    await readUntil(socket, 'hi');
    const ended = new Promise((resolve) => socket.on('end', resolve));
    socket.resume();
    socket.write('\x18');
    await ended;
    assert.equal(await running(id), true);
    socket.destroy();
  });

  it('an exec reads the end of its input when its client vanishes', async () => {
    const id = await execOf({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
    const { socket } = await ask(`POST /exec/${id}/start HTTP/1.1\r\n${UPGRADE}`, '{}', '\r\n\r\n');
    socket.write('hi\n');
    await readUntil(socket, 'hi');
    socket.destroy();
    await eventually('cat goes on', async () => !(await running(id)));
  });

  it('an exec has the limits of its container', async () => {
    assert.equal(await daemon.ok('exec', 'host', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'), '1000\n2000');
  });

  it('a damaged archive is told of in the stream of a load', async () => {
    const answer = await daemon.api('POST', '/images/load', 'no archive', { 'Content-Type': 'application/x-tar' });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /"errorDetail":\{"message":/);
  });

  it('events of a container are its own, not those of its networks', async () => {
    const since = Date.now() / 1000;
    await daemon.ok('run', '--name', 'evented', 'busybox', 'true');
    const filters = encodeURIComponent(JSON.stringify({ container: ['even'] }));
    const query = `since=${since}&until=${(Date.now() + 1) / 1000}&filters=${filters}`;
    const { text } = await daemon.api('GET', `/events?${query}`);
    const seen = text
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { Action: string }).Action]));
    assert.deepEqual(
      seen.filter((action) => action !== 'attach'),
      ['create', 'start', 'die'],
    );
  });

  it('nothing stays of clients that drop their streams', async () => {
    await daemon.ok('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', 'while :; do echo x; sleep 0.05; done');
    const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    const tar = 'Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n200\r\nabc';
    const requests = [
      'GET /containers/talker/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n',
      'GET /containers/talker/stats HTTP/1.1\r\nHost: d\r\n\r\n',
      'GET /events HTTP/1.1\r\nHost: d\r\n\r\n',
      `POST /containers/talker/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n\r\n`,
      'POST /containers/talker/attach?stream=1&stdout=1&stdin=1 HTTP/1.1\r\nHost: d\r\n\r\n',
      'POST /containers/talker/wait HTTP/1.1\r\nHost: d\r\n\r\n',
      'GET /containers/talker/export HTTP/1.1\r\nHost: d\r\n\r\n',
      `POST /images/load HTTP/1.1\r\nHost: d\r\n${tar}`,
      `PUT /containers/talker/archive?path=/ HTTP/1.1\r\nHost: d\r\n${tar}`,
      `POST /build HTTP/1.1\r\nHost: d\r\n${tar}`,
      'GET /half',
    ];
    const drop = async () => {
      const sockets = requests.map((request) => {
        const socket = connect(daemon.socket);
        socket.on('error', () => {});
        socket.write(request);
        return socket;
      });
      await sleep(500);
      for (const socket of sockets) socket.destroy();
    };
    // The first round brings up what is kept for the next: threads, their pipes.
    await drop();
    await drop();
    await sleep(1000);
    const kept = descriptors();
    await drop();
    await drop();
    await eventually(`${descriptors()} descriptors, ${kept} before`, () => descriptors() <= kept);
    const info = (await daemon.api('GET', '/info')).json as { NEventsListener: number };
    assert.equal(info.NEventsListener, 0);
  });

  it('five hundred are served at once', async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask('GET /_ping HTTP/1.1', '', '\r\n\r\nOK')));
    for (const { socket } of answers) socket.destroy();
  });
});
