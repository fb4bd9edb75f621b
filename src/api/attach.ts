import type { AttachSession } from '../engine/index.ts';
import type { Call } from './call.ts';
import { writeFrames } from './frames.ts';

/** Joins a hijacked connection and a session until one of them ends. */
export async function serveSession(call: Call, session: AttachSession): Promise<void> {
  const socket = call.hijack(session.tty);
  socket.on('error', () => session.close());
  socket.on('close', () => session.close());
  if (session.stdin === undefined) socket.resume();
  else {
    const { stdin } = session;
    stdin.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (!stdin.write(chunk)) {
        socket.pause();
        stdin.once('drain', () => socket.resume());
      }
    });
    socket.on('end', () => stdin.end());
    socket.resume();
  }
  try {
    await writeFrames(socket, session.output, session.tty);
  } finally {
    session.close();
    socket.end();
    // A client that keeps its half open must not keep the connection.
    socket.resume();
    setTimeout(() => socket.destroy(), 1000).unref();
  }
}
