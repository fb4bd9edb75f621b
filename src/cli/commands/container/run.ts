import type { Client, Hijacked, WaitAnswer } from '../../../client/index.ts';
import { containerBody } from '../../run/container-body.ts';
import { createContainer } from '../../run/create.ts';
import { createFlags, runFlags } from '../../run/create-flags.ts';
import { detachKeysFor, joinStreams } from '../../run/join.ts';
import { forwardSignals } from '../../run/signals.ts';
import { startFailure } from '../../run/start-errors.ts';
import { followWindow, windowSize } from '../../run/window.ts';
import { atLeast, type Call, type CommandSpec, ExitError } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  examples: ['gantry run -it --rm alpine sh', 'gantry run -d --name web -p 8080:80 nginx'],
  flags: [...createFlags, ...runFlags],
  args: atLeast(1),
  interspersed: false,
  complete: ['images'],
  async run(call) {
    try {
      return await runContainer(call);
    } catch (error) {
      throw startFailure(error, 'run');
    }
  },
};

async function runContainer({ args, flags, cli }: Call): Promise<number> {
  const [image, ...words] = args as [string, ...string[]];
  const body = containerBody(flags, image, words, cli.env);
  const detach = flags.bool('detach');
  if (detach) {
    if (flags.list('attach').length > 0)
      throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach');
    Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false });
  } else if (body.Tty && body.AttachStdin && !cli.stdin.isTTY) throw new ExitError(1, 'the input device is not a TTY');
  const detachKeys = detachKeysFor(cli, flags.text('detach-keys'));
  const size = body.Tty ? windowSize(cli) : undefined;
  if (size && body.HostConfig) body.HostConfig.ConsoleSize = size;
  const client = await cli.client();
  const id = await createContainer(cli, client, body, flags);
  const attached = body.AttachStdin || body.AttachStdout || body.AttachStderr;
  if (!attached) {
    await client.containers.start(id);
    cli.print(`${id}\n`);
    return 0;
  }
  const stopForwarding =
    flags.bool('sig-proxy') && !body.Tty ? forwardSignals((signal) => client.containers.kill(id, signal)) : () => {};
  try {
    return await attachAndStart(call(cli, client, id), {
      stdin: Boolean(body.AttachStdin),
      stdout: Boolean(body.AttachStdout),
      stderr: Boolean(body.AttachStderr),
      tty: Boolean(body.Tty),
      autoRemove: flags.bool('rm'),
      detachKeys,
    });
  } finally {
    stopForwarding();
  }
}

interface Target {
  cli: Call['cli'];
  client: Client;
  id: string;
}
const call = (cli: Call['cli'], client: Client, id: string): Target => ({ cli, client, id });

interface AttachPlan {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
  autoRemove: boolean;
  detachKeys: string;
}

/** The streams and the wait are there before the start, so that no output and no exit code is missed. */
async function attachAndStart({ cli, client, id }: Target, plan: AttachPlan): Promise<number> {
  const { stdin, stdout, stderr, tty, detachKeys } = plan;
  const [hijacked, waiting]: [Hijacked, { result: Promise<WaitAnswer> }] = await Promise.all([
    client.containers.attach(id, { stream: true, stdin, stdout, stderr, detachKeys: detachKeys || undefined }),
    client.containers.wait(id, plan.autoRemove ? 'removed' : 'next-exit'),
  ]);
  waiting.result.catch(() => {});
  const joined = joinStreams(cli, hijacked, { stdin, tty, detachKeys });
  try {
    await client.containers.start(id);
    const stopResizing = tty
      ? followWindow(cli, (height, width) => client.containers.resize(id, height, width))
      : () => {};
    const how = await joined.done;
    stopResizing();
    if (how === 'detached') return 0;
    if (tty && stdin && (await stillRunning(client, id, waiting.result))) return 0;
    const { StatusCode, Error: failure } = await waiting.result;
    if (failure?.Message) cli.warn(`Error waiting for container: ${failure.Message}\n`);
    return StatusCode;
  } finally {
    joined.release();
  }
}

/** The daemon may have seen the detach keys itself (another client's, say): the streams end and the container lives on. */
async function stillRunning(client: Client, id: string, result: Promise<WaitAnswer>): Promise<boolean> {
  const soon = await Promise.race([
    result.then(() => 'over' as const),
    new Promise<'late'>((resolve) => setTimeout(resolve, 500, 'late').unref()),
  ]);
  if (soon === 'over') return false;
  const state = await client.containers.inspect(id).catch(() => undefined);
  return state?.State.Running ?? false;
}
