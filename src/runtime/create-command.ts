import type { RuntimeChoice } from './types.ts';

export const CGROUPS = '/sys/fs/cgroup';

/** The program and its words, up to the runtime's own global options, by which a runtime makes a container. */
export function createCommand({ createPrefix = [], path, args }: RuntimeChoice): [string, ...string[]] {
  const [program = path, ...words] = [...createPrefix, path];
  return [program, ...words, ...args];
}

/**
 * crun refuses to make containers where a cgroup2 mount stands beside the v1 hierarchies (libcrun/cgroup.c), though these are all it needs.
 * So it makes them in a mount namespace of its own, in which an empty file system covers that mount. Needed for `create` only: all
 * other commands look at the container's v1 cgroups. All other mounts stay what they are, also in what they share with the machine's
 * (`-v /a:/b:rshared`); only the one around, where it is `shared`, must not carry the cover out. With `busybox`, a static one, the shell and mount(8) start sooner.
 */
export function hidingUnified(runtime: RuntimeChoice, shared: boolean, busybox: string | undefined): RuntimeChoice {
  const cover = `mount -t tmpfs none ${CGROUPS}/unified && exec "$@"`;
  return {
    ...runtime,
    createPrefix: [
      ...['/usr/bin/unshare', '--mount', '--propagation', 'unchanged', '--'],
      ...(busybox === undefined ? ['/bin/sh'] : [busybox, 'sh']),
      ...['-c', shared ? `mount --make-private ${CGROUPS} && ${cover}` : cover, 'sh'],
    ],
  };
}
