import type { Volume } from '../../wire/index.ts';
import type { RowMethods, TableSpec } from './rows.ts';
import { size4 } from './size.ts';
import { labelsText } from './text.ts';

export const volumeTable: TableSpec = {
  type: 'formatter.volumeContext',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Labels: 'LABELS',
    Links: 'LINKS',
    Mountpoint: 'MOUNTPOINT',
    Scope: 'SCOPE',
    Size: 'SIZE',
    Status: 'STATUS',
    Availability: 'AVAILABILITY',
    Group: 'GROUP',
  },
};

export function volumeRow(volume: Volume): RowMethods {
  return {
    Name: () => volume.Name,
    Driver: () => volume.Driver,
    Labels: () => labelsText(volume.Labels),
    Label: (name: string) => volume.Labels?.[name] ?? '',
    Links: () => (volume.UsageData ? String(volume.UsageData.RefCount) : 'N/A'),
    Mountpoint: () => volume.Mountpoint,
    Scope: () => volume.Scope,
    Size: () => (volume.UsageData ? size4(volume.UsageData.Size) : 'N/A'),
    // Cluster volumes have these; there are none here.
    Status: () => 'N/A',
    Availability: () => 'N/A',
    Group: () => 'N/A',
  };
}
