import type { BuildCacheRecord, DiskUsage } from '../../../client/index.ts';
import { shortId } from '../../../common/index.ts';
import { containerRow, containerTable } from '../../format/containers.ts';
import { imageRow, imageTable, nameImages } from '../../format/images.ts';
import { type RowMethods, renderRows } from '../../format/rows.ts';
import { size3, size4 } from '../../format/size.ts';
import { humanDuration } from '../../format/text.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE = {
  type: 'formatter.diskUsageContext',
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
};

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
    const format =
      given === '' || given === 'table'
        ? 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}'
        : given;
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

function verboseText(usage: DiskUsage): string {
  const options = { trunc: true, nowMs: Date.now() };
  const imageFormat =
    'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}';
  const images = nameImages(usage.Images ?? [], false).map((named) => ({
    ...imageRow(named, options),
    SharedSize: () => size4(Math.max(0, named.image.SharedSize)),
    UniqueSize: () => size4(named.image.Size - Math.max(0, named.image.SharedSize)),
  }));
  const containerFormat =
    'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}';
  const containers = (usage.Containers ?? []).map((container) => ({
    ...containerRow(container, options),
    Size: () => size3(container.SizeRw ?? 0),
  }));
  const volumes = (usage.Volumes ?? []).map((volume) => ({
    Name: () => volume.Name,
    Links: () => String(volume.UsageData?.RefCount ?? 'N/A'),
    Size: () => (volume.UsageData ? size4(volume.UsageData.Size) : 'N/A'),
  }));
  const volumeTable = {
    type: 'formatter.volumeContext',
    headers: { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' },
  };
  const cache = usage.BuildCache ?? [];
  const cacheTable = {
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
  const cacheSize = cache.filter((item) => !item.Shared).reduce((sum, item) => sum + item.Size, 0);
  return [
    `Images space usage:\n\n${renderRows(imageFormat, imageTable, images)}`,
    `\nContainers space usage:\n\n${renderRows(containerFormat, containerTable, containers)}`,
    `\nLocal Volumes space usage:\n\n${renderRows('table {{.Name}}\t{{.Links}}\t{{.Size}}', volumeTable, volumes)}`,
    `\nBuild cache usage: ${size4(cacheSize)}\n\n${renderRows('table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}', cacheTable, cache.map(cacheRow))}`,
  ].join('');
}

const since = (text: string | null): string =>
  text === null || text === '' ? '' : `${humanDuration(Date.now() - Date.parse(text))} ago`;
const cacheRow = (item: BuildCacheRecord): RowMethods => ({
  ID: () => `${shortId(item.ID)}${item.InUse ? '*' : ''}`,
  CacheType: () => item.Type,
  Size: () => size3(item.Size),
  CreatedSince: () => since(item.CreatedAt),
  LastUsedSince: () => since(item.LastUsedAt),
  UsageCount: () => String(item.UsageCount),
  Shared: () => String(item.Shared),
});
