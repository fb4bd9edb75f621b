import { invalid, messageOf, parseTimestampNs } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { frame, streamType } from './frames.ts';
import { type Route, route } from './router.ts';

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;
type Condition = (typeof CONDITIONS)[number];

/** What answers for as long as a container lives. */
export const containerStreamRoutes = (engine: Pick<Engine, 'containers' | 'logs'>): Route[] => [
  route('GET', '/containers/{name...}/logs', (call) => sendLogs(call, engine)),
  route('GET', '/containers/{name...}/stats', async (call) => {
    const stream = call.query.bool('stream', true);
    const oneShot = call.query.bool('one-shot');
    if (stream && oneShot) throw invalid('cannot have stream=true and one-shot=true');
    const samples = engine.containers.stats(call.name, { stream, oneShot, signal: call.signal });
    for await (const sample of samples) {
      if (!call.response.headersSent) call.begin('application/json');
      await call.write(`${JSON.stringify(sample)}\n`);
      if (!stream) break;
    }
    if (!call.response.headersSent) call.begin('application/json');
    call.response.end();
  }),
  route('GET', '/containers/{name...}/export', async (call) =>
    call.send(await engine.containers.export(call.name, call.signal), 'application/octet-stream'),
  ),
  route('POST', '/containers/{name...}/wait', async (call) => {
    const condition = call.query.text('condition') ?? 'not-running';
    if (!(CONDITIONS as readonly string[]).includes(condition))
      throw invalid(`invalid condition: ${JSON.stringify(condition)}`);
    const { result } = await engine.containers.wait(call.name, condition as Condition, call.signal);
    // The headers tell the client that the wait stands, so that it may start the container.
    call.begin('application/json');
    call.response.end(`${JSON.stringify(await result)}\n`);
  }),
];

async function sendLogs(call: Call, { logs }: Pick<Engine, 'logs'>): Promise<void> {
  const { query } = call;
  const stdout = query.bool('stdout');
  const stderr = query.bool('stderr');
  if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream');
  const { tty, output } = await logs.read(call.name, {
    follow: query.bool('follow'),
    stdout,
    stderr,
    since: moment(query.text('since')),
    until: moment(query.text('until')),
    timestamps: query.bool('timestamps'),
    tail: tail(query.text('tail')),
    details: query.bool('details'),
    signal: call.signal,
  });
  const encode = (stream: 1 | 2 | 3, data: Buffer) => (tty ? data : frame(stream, data));
  call.begin(streamType(tty, call.version));
  try {
    for await (const { stream, data } of output) await call.write(encode(stream, data));
  } catch (error) {
    if (call.signal.aborted) throw error;
    // Frame 3 is the daemon's own word on a stream that has begun (stdcopy.Systemerr).
    await call.write(encode(3, Buffer.from(`Error grabbing logs: ${messageOf(error)}\n`)));
  }
  call.response.end();
}

const moment = (text: string | undefined): bigint | undefined =>
  text === undefined || text === '0' ? undefined : parseTimestampNs(text);

/** Anything but a number means all, as in moby. */
function tail(text: string | undefined): number | 'all' {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 'all';
}
