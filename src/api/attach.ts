import { createWebSocketStream, WebSocketServer } from 'ws';
import { invalid } from '../common/index.ts';
import type { AttachOptions, Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { frame, join, streamType } from './frames.ts';
import { type Route, route } from './router.ts';

export const attachRoutes = ({ containers }: Pick<Engine, 'containers'>): Route[] => [
  {
    ...route('POST', '/containers/{name...}/attach', async (call) => {
      const session = await containers.attach(call.name, attachOptions(call));
      const { tty } = session;
      const connection = call.hijack(streamType(tty, call.version));
      await join(connection, session, {
        signal: call.signal,
        encode: (stream, data) => (tty ? data : frame(stream, data)),
      });
    }),
    hijack: true,
  },
  {
    ...route('GET', '/containers/{name...}/attach/ws', async (call) => {
      if (call.request.headers.upgrade?.toLowerCase() !== 'websocket') throw invalid('not websocket protocol');
      const session = await containers.attach(call.name, attachOptions(call));
      const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
      server.handleUpgrade(call.request, call.takeSocket(), Buffer.alloc(0), (client) => {
        // Binary since API 1.28 (moby api/server/router/container); output is never framed here.
        const stream = createWebSocketStream(client, { decodeStrings: true, objectMode: false });
        void join(stream, session, { signal: call.signal, encode: (_, data) => data }).catch(() => client.terminate());
      });
    }),
    hijack: true,
  },
];

function attachOptions({ query }: Call): AttachOptions {
  return {
    stdin: query.bool('stdin'),
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    logs: query.bool('logs'),
    stream: query.bool('stream'),
    detachKeys: query.text('detachKeys'),
  };
}
