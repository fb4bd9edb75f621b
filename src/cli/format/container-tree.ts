import type { ContainerSummary } from '../../client/index.ts';
import { shortId } from '../../common/index.ts';
import { displayPorts } from './ports.ts';

const PROJECT = 'com.docker.compose.project';

/** Containers by what they belong to: a Compose project, else the network they are on. */
export function containerTree(containers: readonly ContainerSummary[]): string {
  const groups = new Map<string, ContainerSummary[]>();
  for (const container of containers) {
    const project = container.Labels?.[PROJECT];
    const network =
      Object.keys(container.NetworkSettings?.Networks ?? {})
        .toSorted()
        .join(', ') ||
      container.HostConfig?.NetworkMode ||
      'none';
    const key = project === undefined ? `network ${network}` : `project ${project}`;
    groups.set(key, [...(groups.get(key) ?? []), container]);
  }
  let out = '';
  for (const key of [...groups.keys()].toSorted()) {
    const members = groups.get(key)!;
    out += `${key}\n`;
    for (const [index, member] of members.entries()) {
      const last = index === members.length - 1;
      const stem = last ? '   ' : '│  ';
      const name = member.Names[0]?.replace(/^\//, '') ?? shortId(member.Id);
      out += `${last ? '└─ ' : '├─ '}${name}  ${shortId(member.Id)}  ${member.Image}  ${member.Status}\n`;
      const details = [
        displayPorts(member.Ports),
        ...(member.Mounts ?? []).map((mount) => `${mount.Name || mount.Source} → ${mount.Destination}`),
      ].filter(Boolean);
      for (const [at, detail] of details.entries())
        out += `${stem}${at === details.length - 1 ? '└─ ' : '├─ '}${detail}\n`;
    }
  }
  return out;
}
