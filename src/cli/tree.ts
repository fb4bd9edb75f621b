import type { CommandSpec } from './spec.ts';

/** A word of the command line: a command (`load`), a group of them (`children`), or what Docker has and Gantry has not (`refused`). */
export interface Entry {
  name: string;
  /** One line, for lists and as the command's description. */
  short: string;
  aliases?: readonly string[];
  hidden?: boolean;
  /** Why the command is not there. */
  refused?: string;
  /** The command's file is loaded only when it is called. */
  load?: () => Promise<{ command: CommandSpec }>;
  children?: readonly Entry[];
}

type More = Pick<Entry, 'aliases' | 'hidden'>;
const command = (name: string, short: string, load: Entry['load'], more: More = {}): Entry => ({
  name,
  short,
  load,
  ...more,
});
const group = (name: string, short: string, children: readonly Entry[]): Entry => ({ name, short, children });
const refused = (reason: string, commands: Readonly<Record<string, string>>): Entry[] =>
  Object.entries(commands).map(([name, short]) => ({ name, short, refused: reason }));

const LIST = { aliases: ['list'] };
const REMOVE = { aliases: ['remove'] };

const container = group('container', 'Manage containers', [
  command(
    'attach',
    'Attach local standard input, output, and error streams to a running container',
    () => import('./commands/container/attach.ts'),
  ),
  command('commit', "Create a new image from a container's changes", () => import('./commands/container/commit.ts')),
  command(
    'cp',
    'Copy files/folders between a container and the local filesystem',
    () => import('./commands/container/cp.ts'),
  ),
  command('create', 'Create a new container', () => import('./commands/container/create.ts')),
  command(
    'diff',
    "Inspect changes to files or directories on a container's filesystem",
    () => import('./commands/container/diff.ts'),
  ),
  command('exec', 'Execute a command in a running container', () => import('./commands/container/exec.ts')),
  command('export', "Export a container's filesystem as a tar archive", () => import('./commands/container/export.ts')),
  command(
    'inspect',
    'Display detailed information on one or more containers',
    () => import('./commands/container/inspect.ts'),
  ),
  command('kill', 'Kill one or more running containers', () => import('./commands/container/kill.ts')),
  command('logs', 'Fetch the logs of a container', () => import('./commands/container/logs.ts')),
  command('ls', 'List containers', () => import('./commands/container/ls.ts'), { aliases: ['list', 'ps'] }),
  command('pause', 'Pause all processes within one or more containers', () => import('./commands/container/pause.ts')),
  command(
    'port',
    'List port mappings or a specific mapping for the container',
    () => import('./commands/container/port.ts'),
  ),
  command('prune', 'Remove all stopped containers', () => import('./commands/container/prune.ts')),
  command('rename', 'Rename a container', () => import('./commands/container/rename.ts')),
  command('restart', 'Restart one or more containers', () => import('./commands/container/restart.ts')),
  command('rm', 'Remove one or more containers', () => import('./commands/container/rm.ts'), REMOVE),
  command('run', 'Create and run a new container from an image', () => import('./commands/container/run.ts')),
  command('start', 'Start one or more stopped containers', () => import('./commands/container/start.ts')),
  command(
    'stats',
    'Display a live stream of container(s) resource usage statistics',
    () => import('./commands/container/stats.ts'),
  ),
  command('stop', 'Stop one or more running containers', () => import('./commands/container/stop.ts')),
  command('top', 'Display the running processes of a container', () => import('./commands/container/top.ts')),
  command(
    'unpause',
    'Unpause all processes within one or more containers',
    () => import('./commands/container/unpause.ts'),
  ),
  command('update', 'Update configuration of one or more containers', () => import('./commands/container/update.ts')),
  command(
    'wait',
    'Block until one or more containers stop, then print their exit codes',
    () => import('./commands/container/wait.ts'),
  ),
]);

const image = group('image', 'Manage images', [
  command('build', 'Build an image from a Dockerfile', () => import('./commands/image/build.ts')),
  command('history', 'Show the history of an image', () => import('./commands/image/history.ts')),
  command(
    'import',
    'Import the contents from a tarball to create a filesystem image',
    () => import('./commands/image/import.ts'),
  ),
  command('inspect', 'Display detailed information on one or more images', () => import('./commands/image/inspect.ts')),
  command('load', 'Load an image from a tar archive or STDIN', () => import('./commands/image/load.ts')),
  command('ls', 'List images', () => import('./commands/image/ls.ts'), LIST),
  command('prune', 'Remove unused images', () => import('./commands/image/prune.ts')),
  command('pull', 'Download an image from a registry', () => import('./commands/image/pull.ts')),
  command('push', 'Upload an image to a registry', () => import('./commands/image/push.ts')),
  command('rm', 'Remove one or more images', () => import('./commands/image/rm.ts'), REMOVE),
  command(
    'save',
    'Save one or more images to a tar archive (streamed to STDOUT by default)',
    () => import('./commands/image/save.ts'),
  ),
  command('tag', 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE', () => import('./commands/image/tag.ts')),
]);

const system = group('system', 'Manage Gantry', [
  command('df', 'Show Gantry disk usage', () => import('./commands/system/df.ts')),
  command(
    'dial-stdio',
    'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
    () => import('./commands/system/dial-stdio.ts'),
    { hidden: true },
  ),
  command(
    'doctor',
    'Check this machine for what containers need and say what to do',
    () => import('./commands/system/doctor.ts'),
  ),
  command('events', 'Get real time events from the server', () => import('./commands/system/events.ts')),
  command('info', 'Display system-wide information', () => import('./commands/system/info.ts')),
  command('prune', 'Remove unused data', () => import('./commands/system/prune.ts')),
]);

const groups: readonly Entry[] = [
  group('builder', 'Manage builds', [
    ...image.children!.filter(({ name }) => name === 'build'),
    command('prune', 'Remove build cache', () => import('./commands/builder/prune.ts')),
  ]),
  group('checkpoint', 'Manage checkpoints', [
    command('create', 'Create a checkpoint from a running container', () => import('./commands/checkpoint/create.ts')),
    command('ls', 'List checkpoints for a container', () => import('./commands/checkpoint/ls.ts'), LIST),
    command('rm', 'Remove a checkpoint', () => import('./commands/checkpoint/rm.ts'), REMOVE),
  ]),
  group('context', 'Manage contexts', [
    command('create', 'Create a context', () => import('./commands/context/create.ts')),
    command(
      'export',
      'Export a context to a tar archive FILE or a tar stream on STDOUT.',
      () => import('./commands/context/export.ts'),
    ),
    command('import', 'Import a context from a tar or zip file', () => import('./commands/context/import.ts')),
    command(
      'inspect',
      'Display detailed information on one or more contexts',
      () => import('./commands/context/inspect.ts'),
    ),
    command('ls', 'List contexts', () => import('./commands/context/ls.ts'), LIST),
    command('rm', 'Remove one or more contexts', () => import('./commands/context/rm.ts'), REMOVE),
    command('show', 'Print the name of the current context', () => import('./commands/context/show.ts')),
    command('update', 'Update a context', () => import('./commands/context/update.ts')),
    command('use', 'Set the current context', () => import('./commands/context/use.ts')),
  ]),
  group('network', 'Manage networks', [
    command('connect', 'Connect a container to a network', () => import('./commands/network/connect.ts')),
    command('create', 'Create a network', () => import('./commands/network/create.ts')),
    command('disconnect', 'Disconnect a container from a network', () => import('./commands/network/disconnect.ts')),
    command(
      'inspect',
      'Display detailed information on one or more networks',
      () => import('./commands/network/inspect.ts'),
    ),
    command('ls', 'List networks', () => import('./commands/network/ls.ts'), LIST),
    command('prune', 'Remove all unused networks', () => import('./commands/network/prune.ts')),
    command('rm', 'Remove one or more networks', () => import('./commands/network/rm.ts'), REMOVE),
  ]),
  group('plugin', 'Manage plugins', [
    command(
      'inspect',
      'Display detailed information on one or more plugins',
      () => import('./commands/plugin/inspect.ts'),
    ),
    command('ls', 'List plugins', () => import('./commands/plugin/ls.ts'), LIST),
    ...refused('Gantry has no managed plugins; volume and network plugins are reached by their sockets', {
      create: 'Create a plugin from a rootfs and configuration',
      disable: 'Disable a plugin',
      enable: 'Enable a plugin',
      install: 'Install a plugin',
      push: 'Push a plugin to a registry',
      rm: 'Remove one or more plugins',
      set: 'Change settings for a plugin',
      upgrade: 'Upgrade an existing plugin',
    }),
  ]),
  group('volume', 'Manage volumes', [
    command('create', 'Create a volume', () => import('./commands/volume/create.ts')),
    command('export', "Write a volume's contents to a tar archive", () => import('./commands/volume/export.ts')),
    command('import', 'Fill a volume from a tar archive', () => import('./commands/volume/import.ts')),
    command(
      'inspect',
      'Display detailed information on one or more volumes',
      () => import('./commands/volume/inspect.ts'),
    ),
    command('ls', 'List volumes', () => import('./commands/volume/ls.ts'), LIST),
    command('prune', 'Remove unused local volumes', () => import('./commands/volume/prune.ts')),
    command('rm', 'Remove one or more volumes', () => import('./commands/volume/rm.ts'), REMOVE),
    ...refused('Gantry runs one machine; it has no cluster mode', { update: 'Update a volume (cluster volumes only)' }),
  ]),
];

/** Docker has most commands of a group at the top level, too; some of them under another name. */
const shortcuts = (of: Entry, but: readonly string[], renamed: Readonly<Record<string, string>> = {}): Entry[] =>
  of
    .children!.filter(({ name }) => !but.includes(name))
    .map(({ name, short, load }) => ({ name: renamed[name] ?? name, short, load }));

/** All commands. */
export const tree: readonly Entry[] = [
  container,
  image,
  ...shortcuts(container, ['inspect', 'prune'], { ls: 'ps' }),
  ...shortcuts(image, ['inspect', 'prune'], { ls: 'images', rm: 'rmi' }),
  system,
  ...shortcuts(system, ['df', 'dial-stdio', 'doctor', 'prune']),
  ...groups,
  command('completion', 'Print a completion script for bash, zsh or fish', () => import('./commands/completion.ts')),
  command('inspect', 'Return low-level information on Gantry objects', () => import('./commands/inspect.ts')),
  command('login', 'Authenticate to a registry', () => import('./commands/login.ts')),
  command('logout', 'Log out from a registry', () => import('./commands/logout.ts')),
  command('search', 'Search Docker Hub for images', () => import('./commands/search.ts')),
  command('version', 'Show the Gantry version information', () => import('./commands/version.ts')),
  command('__complete', 'Answer a completion script', () => import('./commands/complete.ts'), { hidden: true }),
  ...refused('Gantry runs one machine; it has no cluster mode', {
    config: 'Manage Swarm configs',
    node: 'Manage Swarm nodes',
    secret: 'Manage Swarm secrets',
    service: 'Manage Swarm services',
    stack: 'Manage Swarm stacks',
    swarm: 'Manage Swarm',
  }),
  ...refused('content trust (Notary v1) has ended; check signatures with cosign or notation', {
    trust: 'Manage trust on Docker images',
  }),
  ...refused('build for several platforms with `gantry build --platform`, or edit lists with crane or skopeo', {
    manifest: 'Manage Docker image manifests and manifest lists',
  }),
];

const isNamed = (entry: Entry, word: string): boolean => entry.name === word || entry.aliases?.includes(word) === true;

/** The entry of this name at one level. */
export const entryOf = (level: readonly Entry[], word: string): Entry | undefined =>
  level.find((entry) => isNamed(entry, word));

/** The entry that words lead to (`['container', 'ls']`), or undefined. */
export function findEntry(words: readonly string[]): Entry | undefined {
  let level: readonly Entry[] = tree;
  let entry: Entry | undefined;
  for (const word of words) {
    entry = entryOf(level, word);
    if (!entry) return undefined;
    level = entry.children ?? [];
  }
  return entry;
}

/** All ways to call a command, as help lists them: `container ls`, `container list`, `container ps`, `ps`. */
export function namesOf(entry: Entry, level: readonly Entry[] = tree, lead = ''): string[] {
  return level.flatMap((item) =>
    item.children
      ? namesOf(entry, item.children, `${lead}${item.name} `)
      : item.load === entry.load
        ? [item.name, ...(item.aliases ?? [])].map((name) => `${lead}${name}`)
        : [],
  );
}

/** What help and completion offer. */
export const isOffered = (entry: Entry): boolean => !entry.hidden && entry.refused === undefined;
