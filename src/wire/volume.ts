import { z } from 'zod';
import { opt, str, stringMap } from './schema.ts';

export const CreateVolumeBody = z.object({
  Name: str,
  Driver: str,
  DriverOpts: stringMap,
  Labels: stringMap,
  /** Asks for a volume of a cluster, which is refused. */
  ClusterVolumeSpec: opt(z.object({})),
});
export type CreateVolumeBody = z.infer<typeof CreateVolumeBody>;

/** `GET /volumes/{name}`. */
export interface Volume {
  CreatedAt?: string;
  Driver: string;
  Labels: Record<string, string> | null;
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: string;
  Status?: Record<string, unknown>;
  UsageData?: { Size: number; RefCount: number };
}
