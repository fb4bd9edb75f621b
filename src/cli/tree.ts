import type { CommandSpec } from './spec.ts';

/** A word of the command line: a command, or a group of them. */
export interface Entry {
  name: string;
  short: string;
  aliases?: readonly string[];
  section?: 'Common Commands' | 'Management Commands';
  hidden?: boolean;
  /** Why the command is not there, for those that Docker has. */
  refused?: string;
  load?: () => Promise<{ command: CommandSpec }>;
  children?: readonly Entry[];
}

const NO_SWARM = 'Gantry runs one machine; it has no cluster mode';

/** All commands. Each file is loaded only when its command is called. */
export const tree: readonly Entry[] = [
  {
    name: 'run',
    short: 'Create and run a new container from an image',
    section: 'Common Commands',
    load: () => import('./commands/container/run.ts'),
  },
  {
    name: 'exec',
    short: 'Execute a command in a running container',
    section: 'Common Commands',
    load: () => import('./commands/container/exec.ts'),
  },
  {
    name: 'ps',
    short: 'List containers',
    section: 'Common Commands',
    load: () => import('./commands/container/ls.ts'),
  },
  {
    name: 'build',
    short: 'Build an image from a Dockerfile',
    section: 'Common Commands',
    load: () => import('./commands/image/build.ts'),
  },
  {
    name: 'pull',
    short: 'Download an image from a registry',
    section: 'Common Commands',
    load: () => import('./commands/image/pull.ts'),
  },
  {
    name: 'push',
    short: 'Upload an image to a registry',
    section: 'Common Commands',
    load: () => import('./commands/image/push.ts'),
  },
  { name: 'images', short: 'List images', section: 'Common Commands', load: () => import('./commands/image/ls.ts') },
  {
    name: 'login',
    short: 'Authenticate to a registry',
    section: 'Common Commands',
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'logout',
    short: 'Log out from a registry',
    section: 'Common Commands',
    load: () => import('./commands/logout.ts'),
  },
  {
    name: 'search',
    short: 'Search Docker Hub for images',
    section: 'Common Commands',
    load: () => import('./commands/search.ts'),
  },
  {
    name: 'version',
    short: 'Show the Gantry version information',
    section: 'Common Commands',
    load: () => import('./commands/version.ts'),
  },
  {
    name: 'info',
    short: 'Display system-wide information',
    section: 'Common Commands',
    load: () => import('./commands/system/info.ts'),
  },
  {
    name: 'attach',
    short: 'Attach local standard input, output, and error streams to a running container',
    load: () => import('./commands/container/attach.ts'),
  },
  {
    name: 'commit',
    short: "Create a new image from a container's changes",
    load: () => import('./commands/container/commit.ts'),
  },
  {
    name: 'completion',
    short: 'Print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'cp',
    short: 'Copy files/folders between a container and the local filesystem',
    load: () => import('./commands/container/cp.ts'),
  },
  { name: 'create', short: 'Create a new container', load: () => import('./commands/container/create.ts') },
  {
    name: 'diff',
    short: "Inspect changes to files or directories on a container's filesystem",
    load: () => import('./commands/container/diff.ts'),
  },
  { name: 'events', short: 'Get real time events from the server', load: () => import('./commands/system/events.ts') },
  {
    name: 'export',
    short: "Export a container's filesystem as a tar archive",
    load: () => import('./commands/container/export.ts'),
  },
  { name: 'history', short: 'Show the history of an image', load: () => import('./commands/image/history.ts') },
  {
    name: 'import',
    short: 'Import the contents from a tarball to create a filesystem image',
    load: () => import('./commands/image/import.ts'),
  },
  {
    name: 'inspect',
    short: 'Return low-level information on Gantry objects',
    load: () => import('./commands/inspect.ts'),
  },
  { name: 'kill', short: 'Kill one or more running containers', load: () => import('./commands/container/kill.ts') },
  { name: 'load', short: 'Load an image from a tar archive or STDIN', load: () => import('./commands/image/load.ts') },
  { name: 'logs', short: 'Fetch the logs of a container', load: () => import('./commands/container/logs.ts') },
  {
    name: 'pause',
    short: 'Pause all processes within one or more containers',
    load: () => import('./commands/container/pause.ts'),
  },
  {
    name: 'port',
    short: 'List port mappings or a specific mapping for the container',
    load: () => import('./commands/container/port.ts'),
  },
  { name: 'rename', short: 'Rename a container', load: () => import('./commands/container/rename.ts') },
  { name: 'restart', short: 'Restart one or more containers', load: () => import('./commands/container/restart.ts') },
  { name: 'rm', short: 'Remove one or more containers', load: () => import('./commands/container/rm.ts') },
  { name: 'rmi', short: 'Remove one or more images', load: () => import('./commands/image/rm.ts') },
  {
    name: 'save',
    short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    load: () => import('./commands/image/save.ts'),
  },
  { name: 'start', short: 'Start one or more stopped containers', load: () => import('./commands/container/start.ts') },
  {
    name: 'stats',
    short: 'Display a live stream of container(s) resource usage statistics',
    load: () => import('./commands/container/stats.ts'),
  },
  { name: 'stop', short: 'Stop one or more running containers', load: () => import('./commands/container/stop.ts') },
  {
    name: 'tag',
    short: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    load: () => import('./commands/image/tag.ts'),
  },
  {
    name: 'top',
    short: 'Display the running processes of a container',
    load: () => import('./commands/container/top.ts'),
  },
  {
    name: 'unpause',
    short: 'Unpause all processes within one or more containers',
    load: () => import('./commands/container/unpause.ts'),
  },
  {
    name: 'update',
    short: 'Update configuration of one or more containers',
    load: () => import('./commands/container/update.ts'),
  },
  {
    name: 'wait',
    short: 'Block until one or more containers stop, then print their exit codes',
    load: () => import('./commands/container/wait.ts'),
  },
  {
    name: 'builder',
    short: 'Manage builds',
    section: 'Management Commands',
    children: [
      { name: 'build', short: 'Build an image from a Dockerfile', load: () => import('./commands/image/build.ts') },
      { name: 'prune', short: 'Remove build cache', load: () => import('./commands/builder/prune.ts') },
    ],
  },
  {
    name: 'checkpoint',
    short: 'Manage checkpoints',
    section: 'Management Commands',
    children: [
      {
        name: 'create',
        short: 'Create a checkpoint from a running container',
        load: () => import('./commands/checkpoint/create.ts'),
      },
      {
        name: 'ls',
        short: 'List checkpoints for a container',
        aliases: ['list'],
        load: () => import('./commands/checkpoint/ls.ts'),
      },
      { name: 'rm', short: 'Remove a checkpoint', load: () => import('./commands/checkpoint/rm.ts') },
    ],
  },
  {
    name: 'container',
    short: 'Manage containers',
    section: 'Management Commands',
    children: [
      {
        name: 'attach',
        short: 'Attach local standard input, output, and error streams to a running container',
        load: () => import('./commands/container/attach.ts'),
      },
      {
        name: 'commit',
        short: "Create a new image from a container's changes",
        load: () => import('./commands/container/commit.ts'),
      },
      {
        name: 'cp',
        short: 'Copy files/folders between a container and the local filesystem',
        load: () => import('./commands/container/cp.ts'),
      },
      { name: 'create', short: 'Create a new container', load: () => import('./commands/container/create.ts') },
      {
        name: 'diff',
        short: "Inspect changes to files or directories on a container's filesystem",
        load: () => import('./commands/container/diff.ts'),
      },
      {
        name: 'exec',
        short: 'Execute a command in a running container',
        load: () => import('./commands/container/exec.ts'),
      },
      {
        name: 'export',
        short: "Export a container's filesystem as a tar archive",
        load: () => import('./commands/container/export.ts'),
      },
      {
        name: 'inspect',
        short: 'Display detailed information on one or more containers',
        load: () => import('./commands/container/inspect.ts'),
      },
      {
        name: 'kill',
        short: 'Kill one or more running containers',
        load: () => import('./commands/container/kill.ts'),
      },
      { name: 'logs', short: 'Fetch the logs of a container', load: () => import('./commands/container/logs.ts') },
      {
        name: 'ls',
        short: 'List containers',
        aliases: ['ps', 'list'],
        load: () => import('./commands/container/ls.ts'),
      },
      {
        name: 'pause',
        short: 'Pause all processes within one or more containers',
        load: () => import('./commands/container/pause.ts'),
      },
      {
        name: 'port',
        short: 'List port mappings or a specific mapping for the container',
        load: () => import('./commands/container/port.ts'),
      },
      { name: 'prune', short: 'Remove all stopped containers', load: () => import('./commands/container/prune.ts') },
      { name: 'rename', short: 'Rename a container', load: () => import('./commands/container/rename.ts') },
      {
        name: 'restart',
        short: 'Restart one or more containers',
        load: () => import('./commands/container/restart.ts'),
      },
      {
        name: 'rm',
        short: 'Remove one or more containers',
        aliases: ['remove'],
        load: () => import('./commands/container/rm.ts'),
      },
      {
        name: 'run',
        short: 'Create and run a new container from an image',
        load: () => import('./commands/container/run.ts'),
      },
      {
        name: 'start',
        short: 'Start one or more stopped containers',
        load: () => import('./commands/container/start.ts'),
      },
      {
        name: 'stats',
        short: 'Display a live stream of container(s) resource usage statistics',
        load: () => import('./commands/container/stats.ts'),
      },
      {
        name: 'stop',
        short: 'Stop one or more running containers',
        load: () => import('./commands/container/stop.ts'),
      },
      {
        name: 'top',
        short: 'Display the running processes of a container',
        load: () => import('./commands/container/top.ts'),
      },
      {
        name: 'unpause',
        short: 'Unpause all processes within one or more containers',
        load: () => import('./commands/container/unpause.ts'),
      },
      {
        name: 'update',
        short: 'Update configuration of one or more containers',
        load: () => import('./commands/container/update.ts'),
      },
      {
        name: 'wait',
        short: 'Block until one or more containers stop, then print their exit codes',
        load: () => import('./commands/container/wait.ts'),
      },
    ],
  },
  {
    name: 'context',
    short: 'Manage contexts',
    section: 'Management Commands',
    children: [
      { name: 'create', short: 'Create a context', load: () => import('./commands/context/create.ts') },
      {
        name: 'export',
        short: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
        load: () => import('./commands/context/export.ts'),
      },
      {
        name: 'import',
        short: 'Import a context from a tar or zip file',
        load: () => import('./commands/context/import.ts'),
      },
      {
        name: 'inspect',
        short: 'Display detailed information on one or more contexts',
        load: () => import('./commands/context/inspect.ts'),
      },
      { name: 'ls', short: 'List contexts', aliases: ['list'], load: () => import('./commands/context/ls.ts') },
      {
        name: 'rm',
        short: 'Remove one or more contexts',
        aliases: ['remove'],
        load: () => import('./commands/context/rm.ts'),
      },
      {
        name: 'show',
        short: 'Print the name of the current context',
        load: () => import('./commands/context/show.ts'),
      },
      { name: 'update', short: 'Update a context', load: () => import('./commands/context/update.ts') },
      { name: 'use', short: 'Set the current context', load: () => import('./commands/context/use.ts') },
    ],
  },
  {
    name: 'image',
    short: 'Manage images',
    section: 'Management Commands',
    children: [
      { name: 'build', short: 'Build an image from a Dockerfile', load: () => import('./commands/image/build.ts') },
      { name: 'history', short: 'Show the history of an image', load: () => import('./commands/image/history.ts') },
      {
        name: 'import',
        short: 'Import the contents from a tarball to create a filesystem image',
        load: () => import('./commands/image/import.ts'),
      },
      {
        name: 'inspect',
        short: 'Display detailed information on one or more images',
        load: () => import('./commands/image/inspect.ts'),
      },
      {
        name: 'load',
        short: 'Load an image from a tar archive or STDIN',
        load: () => import('./commands/image/load.ts'),
      },
      { name: 'ls', short: 'List images', aliases: ['list'], load: () => import('./commands/image/ls.ts') },
      { name: 'prune', short: 'Remove unused images', load: () => import('./commands/image/prune.ts') },
      { name: 'pull', short: 'Download an image from a registry', load: () => import('./commands/image/pull.ts') },
      { name: 'push', short: 'Upload an image to a registry', load: () => import('./commands/image/push.ts') },
      {
        name: 'rm',
        short: 'Remove one or more images',
        aliases: ['remove'],
        load: () => import('./commands/image/rm.ts'),
      },
      {
        name: 'save',
        short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
        load: () => import('./commands/image/save.ts'),
      },
      {
        name: 'tag',
        short: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
        load: () => import('./commands/image/tag.ts'),
      },
    ],
  },
  {
    name: 'network',
    short: 'Manage networks',
    section: 'Management Commands',
    children: [
      {
        name: 'connect',
        short: 'Connect a container to a network',
        load: () => import('./commands/network/connect.ts'),
      },
      { name: 'create', short: 'Create a network', load: () => import('./commands/network/create.ts') },
      {
        name: 'disconnect',
        short: 'Disconnect a container from a network',
        load: () => import('./commands/network/disconnect.ts'),
      },
      {
        name: 'inspect',
        short: 'Display detailed information on one or more networks',
        load: () => import('./commands/network/inspect.ts'),
      },
      { name: 'ls', short: 'List networks', aliases: ['list'], load: () => import('./commands/network/ls.ts') },
      { name: 'prune', short: 'Remove all unused networks', load: () => import('./commands/network/prune.ts') },
      {
        name: 'rm',
        short: 'Remove one or more networks',
        aliases: ['remove'],
        load: () => import('./commands/network/rm.ts'),
      },
    ],
  },
  {
    name: 'plugin',
    short: 'Manage plugins',
    section: 'Management Commands',
    children: [
      {
        name: 'inspect',
        short: 'Display detailed information on one or more plugins',
        load: () => import('./commands/plugin/inspect.ts'),
      },
      { name: 'ls', short: 'List plugins', aliases: ['list'], load: () => import('./commands/plugin/ls.ts') },
      {
        name: 'create',
        short:
          'Create a plugin from a rootfs and configuration. Plugin data directory must contain config.json and rootfs directory.',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'disable',
        short: 'Disable a plugin',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'enable',
        short: 'Enable a plugin',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'install',
        short: 'Install a plugin',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'push',
        short: 'Push a plugin to a registry',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'rm',
        short: 'Remove one or more plugins',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'set',
        short: 'Change settings for a plugin',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
      {
        name: 'upgrade',
        short: 'Upgrade an existing plugin',
        hidden: true,
        refused: 'Gantry has no managed plugins; volume and network plugins are reached by their sockets',
      },
    ],
  },
  {
    name: 'system',
    short: 'Manage Gantry',
    section: 'Management Commands',
    children: [
      { name: 'df', short: 'Show Gantry disk usage', load: () => import('./commands/system/df.ts') },
      {
        name: 'dial-stdio',
        short: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
        hidden: true,
        load: () => import('./commands/system/dial-stdio.ts'),
      },
      {
        name: 'doctor',
        short: 'Check this machine for what containers need and say what to do',
        load: () => import('./commands/system/doctor.ts'),
      },
      {
        name: 'events',
        short: 'Get real time events from the server',
        load: () => import('./commands/system/events.ts'),
      },
      { name: 'info', short: 'Display system-wide information', load: () => import('./commands/system/info.ts') },
      { name: 'prune', short: 'Remove unused data', load: () => import('./commands/system/prune.ts') },
    ],
  },
  {
    name: 'volume',
    short: 'Manage volumes',
    section: 'Management Commands',
    children: [
      { name: 'create', short: 'Create a volume', load: () => import('./commands/volume/create.ts') },
      {
        name: 'export',
        short: "Write a volume's contents to a tar archive",
        load: () => import('./commands/volume/export.ts'),
      },
      { name: 'import', short: 'Fill a volume from a tar archive', load: () => import('./commands/volume/import.ts') },
      {
        name: 'inspect',
        short: 'Display detailed information on one or more volumes',
        load: () => import('./commands/volume/inspect.ts'),
      },
      { name: 'ls', short: 'List volumes', aliases: ['list'], load: () => import('./commands/volume/ls.ts') },
      { name: 'prune', short: 'Remove unused local volumes', load: () => import('./commands/volume/prune.ts') },
      {
        name: 'rm',
        short: 'Remove one or more volumes',
        aliases: ['remove'],
        load: () => import('./commands/volume/rm.ts'),
      },
      { name: 'update', short: 'Update a volume (cluster volumes only)', hidden: true, refused: NO_SWARM },
    ],
  },
  { name: 'config', short: 'Manage Swarm configs', refused: NO_SWARM },
  { name: 'node', short: 'Manage Swarm nodes', refused: NO_SWARM },
  { name: 'secret', short: 'Manage Swarm secrets', refused: NO_SWARM },
  { name: 'service', short: 'Manage Swarm services', refused: NO_SWARM },
  { name: 'stack', short: 'Manage Swarm stacks', refused: NO_SWARM },
  { name: 'swarm', short: 'Manage Swarm', refused: NO_SWARM },
  {
    name: 'trust',
    short: 'Manage trust on Docker images',
    refused: 'content trust (Notary v1) has ended; check signatures with cosign or notation',
  },
  {
    name: 'manifest',
    short: 'Manage Docker image manifests and manifest lists',
    refused: 'build for several platforms with `gantry build --platform`, or edit lists with crane or skopeo',
  },
  {
    name: '__complete',
    short: 'Answer a completion script',
    hidden: true,
    load: () => import('./commands/complete.ts'),
  },
];

/** The entry that words lead to (`['container', 'ls']`), or undefined. */
export function findEntry(words: readonly string[]): Entry | undefined {
  let level: readonly Entry[] = tree;
  let entry: Entry | undefined;
  for (const word of words) {
    entry = level.find((item) => item.name === word || item.aliases?.includes(word));
    if (!entry) return undefined;
    level = entry.children ?? [];
  }
  return entry;
}
