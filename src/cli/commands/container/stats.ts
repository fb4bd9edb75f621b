import type { Client, StatsAnswer } from '../../../client/index.ts';
import { shortId } from '../../../common/index.ts';
import { errorText } from '../../dispatch.ts';
import { type RowMethods, renderRows, type TableSpec } from '../../format/rows.ts';
import { binarySize, size3 } from '../../format/size.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { atLeast, type Call, type CommandSpec, ExitError } from '../../spec.ts';
import { usageOf } from '../../stats.ts';

const TABLE: TableSpec = {
  type: 'container.statsContext',
  headers: {
    Container: 'CONTAINER',
    Name: 'NAME',
    ID: 'CONTAINER ID',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
};
const REDRAW_MS = 500;

export const command: CommandSpec = {
  use: '[OPTIONS] [CONTAINER...]',
  examples: ['gantry stats', "gantry stats --no-stream --format '{{.Name}} {{.MemUsage}}' web"],
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'bool',
      usage: 'Show all containers (default shows just running)',
      default: 'shows just running',
    },
    TABLE_FORMAT,
    { name: 'no-stream', type: 'bool', usage: 'Disable streaming stats and only pull the first result' },
    { name: 'no-trunc', type: 'bool', usage: 'Do not truncate output' },
  ],
  args: atLeast(0),
  complete: ['running'],
  run,
};

interface Tracked {
  name: string;
  sample?: StatsAnswer;
  gone?: boolean;
}

async function run({ args, flags, cli }: Call): Promise<void> {
  const given = flags.text('format') || cli.config.data.statsFormat || 'table';
  const columns =
    '{{.ID}}\\t{{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.MemPerc}}\\t{{.NetIO}}\\t{{.BlockIO}}\\t{{.PIDs}}';
  const format = given === 'table' ? `table ${columns}` : given;
  const trunc = !flags.bool('no-trunc');
  const client = await cli.client();
  const tracked = new Map<string, Tracked>();
  const draw = (): string =>
    renderRows(
      format,
      TABLE,
      [...tracked.values()].filter((item) => !item.gone).map((item) => row(item, trunc)),
    );
  const all = flags.bool('all');
  if (flags.bool('no-stream')) {
    const names = args.length > 0 ? args : (await client.containers.list({ all })).map((container) => container.Id);
    const failures: string[] = [];
    await Promise.all(
      names.map(async (name) => {
        tracked.set(name, { name });
        try {
          for await (const sample of client.containers.stats(name, { stream: false }))
            tracked.get(name)!.sample = sample;
        } catch (error) {
          tracked.get(name)!.gone = args.length === 0;
          if (args.length > 0) failures.push(errorText(error));
        }
      }),
    );
    if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
    cli.print(draw());
    return;
  }
  await follow(client, tracked, args, all);
  const terminal = Boolean(cli.stdout.isTTY);
  if (terminal) cli.print('\x1b[2J');
  for (;;) {
    // Each line is cleared to its end, and what is below the last: fewer containers leave no traces.
    cli.print(terminal ? `\x1b[H${draw().replaceAll('\n', '\x1b[K\n')}\x1b[J` : draw());
    if (args.length > 0 && [...tracked.values()].every((item) => item.gone)) return;
    await new Promise((resolve) => setTimeout(resolve, REDRAW_MS));
  }
}

/** Keeps a stream for each container; without names, for those that come and go. */
async function follow(
  client: Client,
  tracked: Map<string, Tracked>,
  names: readonly string[],
  all: boolean,
): Promise<void> {
  const add = (id: string): void => {
    if (tracked.has(id) && !tracked.get(id)!.gone) return;
    const item: Tracked = { name: id };
    tracked.set(id, item);
    const read = async (): Promise<void> => {
      for await (const sample of client.containers.stats(id, { stream: true })) item.sample = sample;
    };
    read()
      .catch(() => {})
      .finally(() => {
        if (!all) item.gone = true;
      });
  };
  if (names.length > 0) {
    for (const name of names) await client.containers.inspect(name);
    for (const name of names) add(name);
    return;
  }
  for (const container of await client.containers.list({ all })) add(container.Id);
  const watch = async (): Promise<void> => {
    for await (const event of client.system.events({ filters: { type: ['container'] } })) {
      if (event.Action === 'start' || (all && event.Action === 'create')) add(event.Actor.ID);
      if ((event.Action === 'die' && !all) || event.Action === 'destroy') tracked.delete(event.Actor.ID);
    }
  };
  watch().catch(() => {});
}

function row({ name, sample }: Tracked, trunc: boolean): RowMethods {
  const known = sample !== undefined && sample.id !== undefined && sample.id !== '';
  const usage = known ? usageOf(sample) : undefined;
  const percent = (value: number | undefined): string => (value === undefined ? '--' : `${value.toFixed(2)}%`);
  return {
    Container: () => name,
    Name: () => (sample?.name ? sample.name.replace(/^\//, '') : '--'),
    ID: () => (known ? (trunc ? shortId(sample.id) : sample.id) : trunc ? shortId(name) : name),
    CPUPerc: () => percent(usage?.cpuPercent),
    MemUsage: () => (usage ? `${binarySize(usage.memory)} / ${binarySize(usage.memoryLimit)}` : '-- / --'),
    MemPerc: () => percent(usage?.memoryPercent),
    NetIO: () => (usage ? `${size3(usage.received)} / ${size3(usage.sent)}` : '--'),
    BlockIO: () => (usage ? `${size3(usage.read)} / ${size3(usage.written)}` : '--'),
    PIDs: () => (usage ? String(usage.pids) : '--'),
  };
}
