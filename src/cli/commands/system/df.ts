import type { BuildCacheRecord, DiskUsage } from '../../../client/index.ts';
import { shortId } from '../../../common/index.ts';
import { containerRow, containerTable } from '../../format/containers.ts';
import { imageRow, imageTable, nameImages } from '../../format/images.ts';
import { type RowMethods, renderLists, renderRows, type TableSpec } from '../../format/rows.ts';
import { size3, size4 } from '../../format/size.ts';
import { goTime, humanDuration } from '../../format/text.ts';
import { volumeRow, volumeTable } from '../../format/volumes.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE = {
  type: 'formatter.diskUsageImagesContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
};

const COLUMNS = 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}';
const RAW = `type: {{.Type}}
total: {{.TotalCount}}
active: {{.Active}}
size: {{.Size}}
reclaimable: {{.Reclaimable}}
`;

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry system df', 'gantry system df -v'],
  flags: [
    TABLE_FORMAT,
    { name: 'verbose', short: 'v', type: 'bool', usage: 'Show detailed information on space usage' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const verbose = flags.bool('verbose');
    const given = flags.text('format');
    const client = await cli.client();
    const usage = await client.system.diskUsage();
    if (verbose && (given === '' || given === 'table')) {
      cli.print(verboseText(usage));
      return;
    }
    if (verbose) {
      cli.print(renderLists(given, 'formatter.diskUsageContext', verboseLists(usage, false)));
      return;
    }
    const format = { '': COLUMNS, table: COLUMNS, raw: RAW }[given] ?? given;
    cli.print(renderRows(format, TABLE, summaryRows(usage)));
  },
};

const share = (part: number, whole: number): string =>
  whole > 0 ? `${size4(part)} (${Math.trunc((part * 100) / whole)}%)` : size4(part);
const row = (type: string, total: number, active: number, size: string, reclaimable: string): RowMethods => ({
  Type: () => type,
  TotalCount: () => String(total),
  Active: () => String(active),
  Size: () => size,
  Reclaimable: () => reclaimable,
});

/** docker/cli formatter/disk_usage.go. */
function summaryRows(usage: DiskUsage): RowMethods[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const cache = usage.BuildCache ?? [];
  const used = images.filter((image) => image.Containers > 0);
  const usedSize = used
    .filter((image) => image.Size !== -1 && image.SharedSize !== -1)
    .reduce((sum, image) => sum + image.Size - image.SharedSize, 0);
  const running = (state: string): boolean => /running|paused|restarting/i.test(state);
  const total = <T>(list: readonly T[], size: (item: T) => number): number =>
    list.reduce((sum, item) => sum + size(item), 0);
  const containerSize = total(containers, (item) => item.SizeRw ?? 0);
  const idleSize = total(
    containers.filter((item) => !running(item.State)),
    (item) => item.SizeRw ?? 0,
  );
  const measured = volumes.filter((volume) => (volume.UsageData?.Size ?? -1) !== -1);
  const volumeSize = total(measured, (volume) => volume.UsageData!.Size);
  const idleVolumes = total(
    measured.filter((volume) => volume.UsageData!.RefCount === 0),
    (volume) => volume.UsageData!.Size,
  );
  const cacheSize = total(
    cache.filter((item) => !item.Shared),
    (item) => item.Size,
  );
  const busyCache = total(
    cache.filter((item) => item.InUse && !item.Shared),
    (item) => item.Size,
  );
  return [
    row(
      'Images',
      images.length,
      used.length,
      size4(usage.LayersSize),
      share(usage.LayersSize - usedSize, usage.LayersSize),
    ),
    row(
      'Containers',
      containers.length,
      containers.filter((item) => running(item.State)).length,
      size4(containerSize),
      share(idleSize, containerSize),
    ),
    row(
      'Local Volumes',
      volumes.length,
      volumes.filter((volume) => (volume.UsageData?.RefCount ?? 0) > 0).length,
      size4(volumeSize),
      share(idleVolumes, volumeSize),
    ),
    row(
      'Build Cache',
      cache.length,
      cache.filter((item) => item.InUse).length,
      size4(cacheSize),
      size4(cacheSize - busyCache),
    ),
  ];
}

interface List {
  spec: TableSpec;
  rows: RowMethods[];
}

/** What is there, kind by kind; ids are cut where people read them. */
function verboseLists(
  usage: DiskUsage,
  trunc: boolean,
): Record<'Images' | 'Containers' | 'Volumes' | 'BuildCache', List> {
  const options = { trunc, nowMs: Date.now() };
  return {
    Images: {
      spec: imageTable,
      rows: nameImages(usage.Images ?? [], false).map((named) => ({
        ...imageRow(named, options),
        Digest: () => '',
        SharedSize: () => size4(Math.max(0, named.image.SharedSize)),
        UniqueSize: () => size4(named.image.Size - Math.max(0, named.image.SharedSize)),
      })),
    },
    Containers: {
      spec: containerTable,
      rows: (usage.Containers ?? []).map((container) => ({
        ...containerRow(container, options),
        Size: () => size3(container.SizeRw ?? 0),
      })),
    },
    Volumes: { spec: volumeTable, rows: (usage.Volumes ?? []).map(volumeRow) },
    BuildCache: {
      spec: cacheTable,
      rows: (usage.BuildCache ?? []).toSorted(byUse).map((item) => cacheRow(item, trunc)),
    },
  };
}

function verboseText(usage: DiskUsage): string {
  const { Images, Containers, Volumes, BuildCache } = verboseLists(usage, true);
  const cacheSize = (usage.BuildCache ?? []).filter((item) => !item.Shared).reduce((sum, item) => sum + item.Size, 0);
  const table = ({ spec, rows }: List, columns: string): string =>
    renderRows(`table ${columns.replace(/\w+/g, '{{.$&}}').replaceAll(' ', '\t')}`, spec, rows);
  return [
    `Images space usage:\n\n${table(Images, 'Repository Tag ID CreatedSince Size SharedSize UniqueSize Containers')}`,
    `\nContainers space usage:\n\n${table(Containers, 'ID Image Command LocalVolumes Size RunningFor Status Names')}`,
    `\nLocal Volumes space usage:\n\n${table(Volumes, 'Name Links Size')}`,
    `\nBuild cache usage: ${size4(cacheSize)}\n\n${table(BuildCache, 'ID CacheType Size CreatedSince LastUsedSince UsageCount Shared')}`,
  ].join('');
}

const cacheTable: TableSpec = {
  type: 'formatter.buildCacheContext',
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
};

const since = (text: string | null): string =>
  text === null || text === '' ? '' : `${humanDuration(Date.now() - Date.parse(text))} ago`;
/** As Go prints a time. */
const timeText = (text: string | null): string =>
  text === null || text === '' ? '' : goTime(Math.floor(Date.parse(text) / 1000), /\.\d*[1-9]/.exec(text)?.[0]);
/** The longest unused first (docker/cli formatter/buildcache.go). */
const byUse = (a: BuildCacheRecord, b: BuildCacheRecord): number =>
  Date.parse(a.LastUsedAt ?? '1970-01-01') - Date.parse(b.LastUsedAt ?? '1970-01-01') || (a.ID < b.ID ? -1 : 1);
const cacheRow = (item: BuildCacheRecord, trunc: boolean): RowMethods => ({
  ID: () => `${trunc ? shortId(item.ID) : item.ID}${item.InUse ? '*' : ''}`,
  Parent: () => (item.Parents ?? []).join(', '),
  CacheType: () => item.Type,
  Description: () => item.Description,
  InUse: () => String(item.InUse),
  Size: () => size3(item.Size),
  CreatedAt: () => timeText(item.CreatedAt),
  CreatedSince: () => since(item.CreatedAt),
  LastUsedAt: () => timeText(item.LastUsedAt),
  LastUsedSince: () => since(item.LastUsedAt),
  UsageCount: () => String(item.UsageCount),
  Shared: () => String(item.Shared),
});
