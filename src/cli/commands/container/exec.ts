import type { ExecConfig } from '../../../wire/index.ts';
import { detachKeysFor, joinStreams } from '../../run/join.ts';
import { environmentValue, readKeyValueFile } from '../../run/key-values.ts';
import { followWindow, windowSize } from '../../run/window.ts';
import { atLeast, type Call, type CommandSpec, ExitError } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  examples: ['gantry exec -it web sh', 'gantry exec -e DEBUG=1 web env'],
  flags: [
    { name: 'detach', short: 'd', type: 'bool', usage: 'Detached mode: run command in the background' },
    { name: 'detach-keys', type: 'string', usage: 'Override the key sequence for detaching a container' },
    {
      name: 'env',
      short: 'e',
      type: 'list',
      usage: 'Set environment variables',
      check: (value) => environmentValue(value, process.env),
    },
    { name: 'env-file', type: 'list', usage: 'Read in a file of environment variables' },
    { name: 'interactive', short: 'i', type: 'bool', usage: 'Keep STDIN open even if not attached' },
    { name: 'privileged', type: 'bool', usage: 'Give extended privileges to the command' },
    { name: 'tty', short: 't', type: 'bool', usage: 'Allocate a pseudo-TTY' },
    { name: 'user', short: 'u', type: 'string', usage: 'Username or UID (format: "<name|uid>[:<group|gid>]")' },
    { name: 'workdir', short: 'w', type: 'string', usage: 'Working directory inside the container' },
  ],
  args: atLeast(2),
  interspersed: false,
  complete: ['running'],
  run,
};

async function run({ args, flags, cli }: Call): Promise<number> {
  const [container, ...words] = args as [string, ...string[]];
  const detach = flags.bool('detach');
  const tty = flags.bool('tty');
  const stdin = flags.bool('interactive') && !detach;
  const files = flags.list('env-file').flatMap((path) => readKeyValueFile(path, (key) => cli.env[key]));
  const environment = [...files, ...flags.list('env')];
  if (stdin && tty && !cli.stdin.isTTY) throw new ExitError(1, 'the input device is not a TTY');
  const detachKeys = detachKeysFor(cli, flags.text('detach-keys'));
  const size = tty && !detach ? windowSize(cli) : undefined;
  const client = await cli.client();
  const { Id: id } = await client.containers.createExec(container, {
    User: flags.text('user'),
    Privileged: flags.bool('privileged'),
    Tty: tty,
    ConsoleSize: size,
    AttachStdin: stdin,
    AttachStdout: !detach,
    AttachStderr: !detach,
    Detach: detach,
    DetachKeys: detachKeys,
    Env: environment.length > 0 ? environment : undefined,
    WorkingDir: flags.text('workdir'),
    Cmd: words,
  } as ExecConfig);
  if (detach) {
    await client.containers.startExec(id, { tty });
    return 0;
  }
  const hijacked = await client.containers.attachExec(id, { tty, consoleSize: size });
  const joined = joinStreams(cli, hijacked, { stdin, tty, detachKeys });
  const stopResizing = tty
    ? followWindow(cli, (height, width) => client.containers.resizeExec(id, height, width))
    : () => {};
  try {
    if ((await joined.done) === 'detached') {
      throw new ExitError(1, 'read escape sequence');
    }
  } finally {
    stopResizing();
    joined.release();
  }
  const { ExitCode } = await client.containers.inspectExec(id);
  return ExitCode ?? 0;
}
