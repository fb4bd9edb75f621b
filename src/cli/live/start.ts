import type { Client } from '../../client/index.ts';
import type { Cli } from '../session.ts';
import { ExitError } from '../spec.ts';
import { LiveModel } from './model.ts';
import { nameOf } from './table.ts';
import { createLiveView, type LiveActions } from './view.ts';

/** Between two redraws; more often than this nobody sees. */
const REDRAW_MS = 250;
const ENTER = '\x1b[?1049h\x1b[H';
const LEAVE = '\x1b[?1049l';

/** `gantry top` without an argument: the full-screen view, until q. */
export async function runLiveView(cli: Cli): Promise<number> {
  if (!cli.stdin.isTTY || !cli.stdout.isTTY)
    throw new ExitError(
      1,
      'gantry top without a container is a full-screen view and needs a terminal; use `gantry stats` instead',
    );
  const client = await cli.client();
  for (;;) {
    const shell = await show(cli, client);
    if (shell === undefined) return 0;
    await openShell(cli, shell);
  }
}

/** Shows the view; resolves to the container that a shell is wanted in, or nothing to end. */
async function show(cli: Cli, client: Client): Promise<string | undefined> {
  let shell: string | undefined;
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  const changed = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const listener of listeners) listener();
    }, REDRAW_MS);
  };
  const model = new LiveModel(client, changed);
  await model.start();
  const known = (id: string) => model.snapshot().rows.find(({ container }) => container.Id === id)?.container;
  const name = (id: string): string => nameOf(known(id)?.Names ?? []) || id;
  const act = (verb: string, id: string, action: () => Promise<unknown>): void => {
    void model.act(`${verb} ${name(id)}`, action);
  };
  const actions: LiveActions = {
    snapshot: () => model.snapshot(),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    select: (id, withLogs) => model.showLogs(withLogs ? id : undefined),
    stop: (id) => act('stop', id, () => client.containers.stop(id)),
    restart: (id) => act('restart', id, () => client.containers.restart(id)),
    kill: (id) => act('kill', id, () => client.containers.kill(id)),
    pause: (id) => {
      // As it is now, which the screen may not show yet.
      if (known(id)?.State === 'paused') act('unpause', id, () => client.containers.unpause(id));
      else act('pause', id, () => client.containers.pause(id));
    },
    remove: (id) => act('remove', id, () => client.containers.remove(id)),
    shell: (id) => {
      shell = id;
    },
  };
  const [ink, react] = await importScreen();
  const LiveView = createLiveView(ink, react);
  // Before anything shows, so that no key typed at what shows is echoed.
  cli.stdin.setRawMode(true);
  cli.print(ENTER);
  const restore = (): void => {
    cli.stdin.setRawMode(false);
    cli.print(LEAVE);
  };
  process.once('exit', restore);
  try {
    const app = ink.render(react.createElement(LiveView, { actions }), {
      stdout: cli.stdout,
      stdin: cli.stdin,
      exitOnCtrlC: true,
      patchConsole: false,
    });
    await app.waitUntilExit();
  } finally {
    clearTimeout(timer);
    model.stop();
    process.off('exit', restore);
    restore();
  }
  return shell;
}

/**
 * Ink and React. Ink decides while it is loaded, by the variables of build services, to draw nothing before the end;
 * who has a terminal and asks for the view wants to see it there too.
 */
async function importScreen() {
  const names = ['CI', 'CONTINUOUS_INTEGRATION'];
  const kept = names.map((name) => process.env[name]);
  for (const name of names) delete process.env[name];
  try {
    return await Promise.all([import('ink'), import('react')] as const);
  } finally {
    names.forEach((name, index) => {
      if (kept[index] !== undefined) process.env[name] = kept[index];
    });
  }
}

async function openShell(cli: Cli, id: string): Promise<void> {
  const [{ command }, { parseFlags }] = await Promise.all([
    import('../commands/container/exec.ts'),
    import('../parse-flags.ts'),
  ]);
  const { args, flags } = parseFlags(
    command.flags,
    ['-it', id, 'sh', '-c', 'command -v bash >/dev/null && exec bash || exec sh'],
    false,
  );
  try {
    await command.run({ args, flags, cli, path: 'gantry exec' });
  } catch (error) {
    cli.warn(`${(error as Error).message}\n`);
  }
}
