import type { ContainerSummary } from '../../../client/index.ts';
import { filterMap } from '../../filters.ts';
import { containerFormat, containerRow, containerTable } from '../../format/containers.ts';
import { checkFormat, renderRows } from '../../format/rows.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type Call, type CommandSpec, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry ps -a --filter status=exited', 'gantry ps --tree'],
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'bool',
      usage: 'Show all containers (default shows just running)',
      default: 'shows just running',
    },
    { name: 'filter', short: 'f', type: 'filter', usage: 'Filter output based on conditions provided' },
    TABLE_FORMAT,
    {
      name: 'last',
      short: 'n',
      type: 'int',
      usage: 'Show n last created containers (includes all states) (default -1)',
      default: '-1',
    },
    { name: 'latest', short: 'l', type: 'bool', usage: 'Show the latest created container (includes all states)' },
    { name: 'no-trunc', type: 'bool', usage: "Don't truncate output" },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only display container IDs' },
    { name: 'size', short: 's', type: 'bool', usage: 'Display total file sizes' },
    {
      name: 'tree',
      type: 'bool',
      usage: 'Show containers under the network, Compose project or image that they belong to',
    },
    { name: 'before', type: 'string', usage: '', hidden: true, deprecated: 'use --filter=before=... instead' },
    { name: 'since', type: 'string', usage: '', hidden: true, deprecated: 'use --filter=since=... instead' },
  ],
  args: noArgs,
  run,
};

async function run({ flags, cli }: Call): Promise<void> {
  const quiet = flags.bool('quiet');
  const filters: Record<string, readonly string[]> = { ...filterMap(flags.list('filter')) };
  for (const old of ['before', 'since'])
    if (flags.changed(old)) filters[old] = [...(filters[old] ?? []), flags.text(old)];
  if (quiet && flags.text('format') !== '')
    cli.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
  const given = flags.text('format') || (quiet ? 'table' : cli.config.data.psFormat || 'table');
  if (given !== 'table') checkFormat(given, containerTable, containerRow(SAMPLE, { trunc: false, nowMs: 0 }));
  const format = containerFormat(given, quiet, flags.bool('size'));
  const last = flags.bool('latest') ? 1 : flags.int('last');
  const client = await cli.client();
  const containers = await client.containers.list({
    all: flags.bool('all') || last > 0,
    limit: last,
    size: flags.changed('size') ? flags.bool('size') : showsSize(format),
    filters,
  });
  if (flags.bool('tree')) {
    const { containerTree } = await import('../../format/container-tree.ts');
    cli.print(containerTree(containers));
    return;
  }
  const options = { trunc: !flags.bool('no-trunc'), nowMs: Date.now() };
  cli.print(
    renderRows(
      format,
      containerTable,
      containers.map((container) => containerRow(container, options)),
    ),
  );
}

/** What a format is tried on. */
const SAMPLE: ContainerSummary = {
  Id: '0'.repeat(64),
  Names: ['/name'],
  Image: 'image',
  ImageID: `sha256:${'0'.repeat(64)}`,
  Command: 'command',
  Created: 0,
  Ports: [],
  Labels: {},
  State: 'created',
  Status: 'Created',
  HostConfig: {},
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

/** Sizes cost the daemon work, so they are asked for only where a template has them, alone or with everything else. */
const showsSize = (format: string): boolean => /\.Size\b|\bjson \.(?!\w)/.test(format);
