import { forEach } from '../../each.ts';
import { detachKeysFor, joinStreams } from '../../run/join.ts';
import { forwardSignals } from '../../run/signals.ts';
import { followWindow, windowSize } from '../../run/window.ts';
import { atLeast, type Call, type CommandSpec, ExitError } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: ['gantry start web', 'gantry start -ai shell'],
  flags: [
    { name: 'attach', short: 'a', type: 'bool', usage: 'Attach STDOUT/STDERR and forward signals' },
    { name: 'checkpoint', type: 'string', usage: 'Restore from this checkpoint' },
    { name: 'checkpoint-dir', type: 'string', usage: 'Use a custom checkpoint storage directory' },
    { name: 'detach-keys', type: 'string', usage: 'Override the key sequence for detaching a container' },
    { name: 'interactive', short: 'i', type: 'bool', usage: "Attach container's STDIN" },
    { name: 'sig-proxy', type: 'bool', usage: '', hidden: true, default: 'true' },
  ],
  args: atLeast(1),
  complete: ['containers'],
  run,
};

async function run(call: Call): Promise<number> {
  const { args, flags, cli } = call;
  const attach = flags.bool('attach') || flags.bool('interactive');
  if (attach && args.length > 1) throw new Error('you cannot start and attach multiple containers at once');
  if (flags.changed('checkpoint') && args.length > 1) throw new Error('you cannot restore multiple containers at once');
  const client = await cli.client();
  const checkpoint = {
    checkpoint: flags.text('checkpoint') || undefined,
    checkpointDir: flags.text('checkpoint-dir') || undefined,
  };
  if (attach) return startAttached(call, checkpoint);
  const failed: string[] = [];
  const start = (name: string): Promise<number> =>
    client.containers.start(name, checkpoint).catch((error: unknown) => {
      failed.push(name);
      throw error;
    });
  try {
    await forEach(args, start, (name) => cli.print(`${name}\n`));
  } catch (error) {
    if (error instanceof ExitError)
      throw new ExitError(1, `${error.message}\nError: failed to start containers: ${failed.join(', ')}`);
    throw error;
  }
  return 0;
}

async function startAttached(
  { args, flags, cli }: Call,
  checkpoint: { checkpoint?: string; checkpointDir?: string },
): Promise<number> {
  const client = await cli.client();
  const { Id: id, Config, HostConfig } = await client.containers.inspect(args[0]!);
  const tty = Boolean(Config.Tty);
  const stdin = flags.bool('interactive') && Boolean(Config.OpenStdin);
  const detachKeys = detachKeysFor(cli, flags.text('detach-keys'));
  const stopForwarding =
    flags.bool('sig-proxy') && !tty ? forwardSignals((signal) => client.containers.kill(id, signal)) : () => {};
  const [hijacked, waiting] = await Promise.all([
    client.containers.attach(id, {
      stream: true,
      stdin,
      stdout: true,
      stderr: true,
      detachKeys: detachKeys || undefined,
    }),
    client.containers.wait(id, HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ]);
  waiting.result.catch(() => {});
  const joined = joinStreams(cli, hijacked, { stdin, tty, detachKeys });
  try {
    await client.containers.start(id, checkpoint);
    const resize = (height: number, width: number) => client.containers.resize(id, height, width);
    const size = tty ? windowSize(cli) : undefined;
    if (size) await resize(...size).catch(() => {});
    const stopResizing = tty ? followWindow(cli, resize) : () => {};
    const how = await joined.done;
    stopResizing();
    return how === 'detached' ? 0 : (await waiting.result).StatusCode;
  } finally {
    joined.release();
    stopForwarding();
  }
}
