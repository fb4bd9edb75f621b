import { createHash } from 'node:crypto';
import { invalid } from '../common/index.ts';

/** OCI image-spec 1.1, config.md, "Layer ChainID". */
export const chainIdOf = (parent: string | undefined, diffId: string): string =>
  parent === undefined ? diffId : `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`;

/** The hex digits, checked so that they can be a file name. Throws invalid. */
export function hexOf(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (!match) throw invalid(`invalid layer id ${JSON.stringify(digest)}`);
  return match[1]!;
}
