import { closeSync, openSync } from 'node:fs';
import { unsupported } from '../common/index.ts';
import { MS, mount, O } from '../sys/index.ts';

/** mount(2) takes a page of options. */
const PAGE = 4095;

/** overlayfs takes a backslash before what would end an option or a layer (filesystems/overlayfs.rst). */
const escaped = (path: string): string => path.replace(/[\\:,]/g, '\\$&');

/**
 * As dockerd mounts: no index, no redirects, no metacopy, so that an upper directory is a complete, portable account of the
 * changes. `nofollow` also ignores a redirect that a layer might carry.
 */
const OPTIONS = 'index=off,redirect_dir=nofollow,metacopy=off';

export interface OverlayMount {
  target: string;
  /** Topmost first; at least one. */
  lower: readonly string[];
  upper: string;
  work: string;
  readonly: boolean;
}

const optionsOf = (lower: readonly string[], upper: string, work: string): string =>
  `lowerdir=${lower.map(escaped).join(':')},upperdir=${escaped(upper)},workdir=${escaped(work)},${OPTIONS}`;

/** Mounts an overlay. With more layers than fit into a page their paths are given by open descriptors, which are short. */
export function mountOverlay({ target, lower, upper, work, readonly }: OverlayMount): void {
  const flags = readonly ? MS.RDONLY : 0;
  const options = optionsOf(lower, upper, work);
  if (Buffer.byteLength(options) <= PAGE) {
    mount('overlay', target, 'overlay', flags, options);
    return;
  }
  const opened: number[] = [];
  try {
    for (const path of lower) opened.push(openSync(path, O.PATH | O.DIRECTORY));
    const short = optionsOf(
      opened.map((fd) => `/proc/self/fd/${fd}`),
      upper,
      work,
    );
    if (Buffer.byteLength(short) > PAGE) throw unsupported(`${lower.length} layers are more than can be mounted`);
    mount('overlay', target, 'overlay', flags, short);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
