import type { RuntimeChoice } from './types.ts';

const UNIFIED = '/sys/fs/cgroup/unified';

/** The program and its words, up to the runtime's own global options, by which a runtime makes a container. */
export function createCommand({ createPrefix = [], path, args }: RuntimeChoice): [string, ...string[]] {
  const [program = path, ...words] = [...createPrefix, path];
  return [program, ...words, ...args];
}

/**
 * crun refuses to make containers where a cgroup2 mount stands beside the v1 hierarchies (libcrun/cgroup.c), though these are all it needs.
 * So it makes them in a mount namespace of its own, in which an empty file system covers that mount. Needed for `create` only: all
 * other commands look at the container's v1 cgroups.
 */
export const hidingUnified = (runtime: RuntimeChoice): RuntimeChoice => ({
  ...runtime,
  createPrefix: [
    ...['/usr/bin/unshare', '--mount', '--propagation', 'private', '--'],
    ...['/bin/sh', '-c', `mount -t tmpfs none ${UNIFIED} && exec "$@"`, 'sh'],
  ],
});
