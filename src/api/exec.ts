import { z } from 'zod';
import { invalid, messageOf } from '../common/index.ts';
import type { AttachSession, Engine } from '../engine/index.ts';
import { ExecConfig } from '../wire/index.ts';
import type { Call } from './call.ts';
import { size } from './containers.ts';
import { frame, join, streamType } from './frames.ts';
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
  const session = await execs.start(call.name, {
    detach,
    consoleSize: tty && call.version >= 42 ? (ConsoleSize ?? undefined) : undefined,
  });
  if (session === undefined) {
    call.empty(200);
    return;
  }
  // What this request says of a terminal decides the framing, not what the exec has (moby postContainerExecStart).
  const connection = call.hijack(streamType(tty, call.version));
  await join(
    connection,
    { ...session, output: withFailure(session.output) },
    { signal: call.signal, encode: (stream, data) => (tty ? data : frame(stream, data)) },
  );
}

/** A process that cannot be started says so in its output; its exit code tells programs. */
async function* withFailure(output: AttachSession['output']): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
  try {
    yield* output;
  } catch (error) {
    yield { stream: 1, data: Buffer.from(`${messageOf(error)}\r\n`) };
  }
}
