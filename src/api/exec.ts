import { z } from 'zod';
import { invalid, messageOf } from '../common/index.ts';
import type { AttachSession, Engine } from '../engine/index.ts';
import { ExecConfig } from '../wire/index.ts';
import type { Call } from './call.ts';
import { size } from './containers.ts';
import { endGently, frame, join, streamType } from './frames.ts';
import { type Route, route } from './router.ts';

const ExecStart = z.object({
  Detach: z.boolean().nullish(),
  Tty: z.boolean().nullish(),
  ConsoleSize: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]).nullish(),
});

export const execRoutes = ({ execs }: Pick<Engine, 'execs'>): Route[] => [
  route('POST', '/containers/{name...}/exec', async (call) => {
    const config = await call.body(ExecConfig, 'container.ExecOptions');
    if ((config.Cmd ?? []).length === 0) throw invalid('No exec command specified');
    if (call.version < 42) config.ConsoleSize = undefined;
    call.json(await execs.create(call.name, config), 201);
  }),
  { ...route('POST', '/exec/{name...}/start', (call) => startExec(call, execs)), hijack: true },
  route('POST', '/exec/{name...}/resize', async (call) => {
    await execs.resize(call.name, size(call));
    call.empty(200);
  }),
  route('GET', '/exec/{name...}/json', async (call) => call.json(await execs.inspect(call.name))),
];

async function startExec(call: Call, execs: Engine['execs']): Promise<void> {
  const { Detach, Tty, ConsoleSize } = await call.body(ExecStart, 'container.ExecStartOptions');
  const detach = Detach === true;
  const tty = Tty === true;
  if (ConsoleSize && !tty && call.version >= 42) throw invalid('ConsoleSize is only supported when TTY is true');
  let session: AttachSession | undefined;
  try {
    session = await execs.start(call.name, {
      detach,
      tty,
      consoleSize: call.version >= 42 ? (ConsoleSize ?? undefined) : undefined,
    });
  } catch (error) {
    // A process that cannot be started says so in its output; its exit code tells programs.
    const refused = !/^OCI runtime exec failed/.test(messageOf(error));
    if (detach || refused) throw error;
    const connection = call.hijack(streamType(tty, call.version));
    const text = Buffer.from(`${messageOf(error)}\r\n`);
    connection.write(tty ? text : frame(1, text));
    endGently(connection);
    return;
  }
  if (session === undefined) {
    call.empty(200);
    return;
  }
  const raw = session.tty;
  const connection = call.hijack(streamType(raw, call.version));
  await join(connection, session, {
    signal: call.signal,
    encode: (stream, data) => (raw ? data : frame(stream, data)),
  });
}
