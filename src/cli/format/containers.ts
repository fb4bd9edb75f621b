import type { ContainerSummary } from '../../client/index.ts';
import { shortId } from '../../common/index.ts';
import { TypedNil } from '../../template/index.ts';
import { displayPorts } from './ports.ts';
import type { RowMethods, TableSpec } from './rows.ts';
import { size3 } from './size.ts';
import { ellipsis, goTime, humanDuration, labelsText, quote } from './text.ts';

export const containerTable: TableSpec = {
  type: 'formatter.ContainerContext',
  headers: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
    Platform: 'PLATFORM',
  },
};

/** The format of `ps` for what was asked (docker/cli formatter.NewContainerFormat). */
export function containerFormat(format: string, quiet: boolean, size: boolean): string {
  if (format === 'table' || format === '') {
    if (quiet) return '{{.ID}}';
    const columns = '{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}';
    return `table ${columns}${size ? '\\t{{.Size}}' : ''}`;
  }
  if (format === 'raw') {
    if (quiet) return 'container_id: {{.ID}}';
    return `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
${size ? 'size: {{.Size}}\n' : ''}`;
  }
  return quiet ? '{{.ID}}' : format;
}

/** A container's row. `nowMs` is the time that ages count from. */
export function containerRow(container: ContainerSummary, options: { trunc: boolean; nowMs: number }): RowMethods {
  const { trunc } = options;
  return {
    ID: () => (trunc ? shortId(container.Id) : container.Id),
    Names: () => {
      const names = container.Names.map((name) => name.replace(/^\//, ''));
      if (!trunc) return names.join(',');
      return names.find((name) => !name.includes('/')) ?? names.join(',');
    },
    Image: () => imageText(container, trunc),
    Command: () => quote(trunc ? ellipsis(container.Command, 20) : container.Command),
    CreatedAt: () => goTime(container.Created),
    RunningFor: () => `${humanDuration(options.nowMs - container.Created * 1000)} ago`,
    Ports: () => displayPorts(container.Ports),
    State: () => container.State,
    Status: () => container.Status,
    Size: () => {
      const own = size3(container.SizeRw ?? 0);
      return (container.SizeRootFs ?? 0) > 0 ? `${own} (virtual ${size3(container.SizeRootFs!)})` : own;
    },
    Labels: () => labelsText(container.Labels),
    Label: (name: string) => container.Labels?.[name] ?? '',
    Mounts: () => (container.Mounts ?? []).map((mount) => mountText(mount.Name || mount.Source, trunc)).join(','),
    // Known only where the daemon was asked for it.
    Platform: () => new TypedNil('pointer'),
    LocalVolumes: () => String((container.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
    Networks: () =>
      Object.keys(container.NetworkSettings?.Networks ?? {})
        .toSorted()
        .join(','),
  };
}

const mountText = (name: string, trunc: boolean): string => (trunc ? ellipsis(name, 15) : name);

function imageText(container: ContainerSummary, trunc: boolean): string {
  const { Image: image } = container;
  if (image === '') return '<no image>';
  if (!trunc) return image;
  const short = shortId(container.ImageID);
  if (short === shortId(image)) return short;
  // A name with both tag and digest is shown without the digest.
  const match = /^([^@]+:[^@/]+)@sha256:[0-9a-f]{64}$/.exec(image);
  return match ? match[1]! : image;
}
