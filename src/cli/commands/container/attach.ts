import { detachKeysFor, joinStreams } from '../../run/join.ts';
import { forwardSignals } from '../../run/signals.ts';
import { followWindow, windowSize } from '../../run/window.ts';
import { type CommandSpec, ExitError, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER',
  examples: ['gantry attach web', 'gantry attach --detach-keys ctrl-x,x web'],
  flags: [
    { name: 'detach-keys', type: 'string', usage: 'Override the key sequence for detaching a container' },
    { name: 'no-stdin', type: 'bool', usage: 'Do not attach STDIN' },
    {
      name: 'sig-proxy',
      type: 'bool',
      usage: 'Proxy all received signals to the process (default true)',
      default: 'true',
    },
  ],
  args: exactly(1),
  complete: ['running'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const { Id: id, State, Config } = await client.containers.inspect(args[0]!);
    if (!State.Running) throw new Error('You cannot attach to a stopped container, start it first');
    if (State.Paused) throw new Error('cannot attach to a paused container, unpause it first');
    if (State.Restarting) throw new Error('cannot attach to a restarting container, wait until it is running');
    const tty = Boolean(Config.Tty);
    const stdin = !flags.bool('no-stdin') && Boolean(Config.OpenStdin);
    if (stdin && tty && !cli.stdin.isTTY) throw new Error('the input device is not a TTY');
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
      client.containers.wait(id),
    ]);
    waiting.result.catch(() => {});
    const joined = joinStreams(cli, hijacked, { stdin, tty, detachKeys });
    const resize = (height: number, width: number) => client.containers.resize(id, height, width);
    const size = tty ? windowSize(cli) : undefined;
    if (size) {
      // A size that differs and then fits makes a full-screen program draw itself anew.
      await resize(size[0] + 1, size[1] + 1).catch(() => {});
      await resize(...size).catch(() => {});
    }
    const stopResizing = tty ? followWindow(cli, resize) : () => {};
    try {
      if ((await joined.done) === 'detached') {
        throw new ExitError(1, 'read escape sequence');
      }
      const late = new Promise<undefined>((resolve) => setTimeout(resolve, 1000, undefined).unref());
      const answer = await Promise.race([waiting.result, late]);
      if (answer) return answer.StatusCode;
      // Detached by its keys through another client: the container still runs.
      const { State: now } = await client.containers.inspect(id);
      return now.Running ? 0 : (await waiting.result).StatusCode;
    } finally {
      stopResizing();
      joined.release();
      stopForwarding();
    }
  },
};
