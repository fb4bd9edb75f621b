import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecMount } from '../../runtime/index.ts';

/** The files that a container gets under /etc, and its directory `containers/<id>`. */
export interface ContainerFiles {
  directory(id: string): string;
  logPath(id: string): string;
  make(id: string): Promise<void>;
  /** A few hundred bytes, written in place: they are bind mounts, a rename would not be seen inside. */
  writeHosts(id: string, text: string): void;
  writeResolvConf(id: string, text: string): void;
  writeHostname(id: string, hostname: string): void;
  remove(id: string): Promise<void>;
}

export function openContainerFiles(dataRoot: string): ContainerFiles {
  const directory = (id: string) => join(dataRoot, 'containers', id);
  const write = (id: string, name: string, text: string) =>
    writeFileSync(join(directory(id), name), text, { mode: 0o644 });
  return {
    directory,
    logPath: (id) => join(directory(id), `${id}-json.log`),
    make: async (id) => void (await mkdir(directory(id), { recursive: true, mode: 0o710 })),
    writeHosts: (id, text) => write(id, 'hosts', text),
    writeResolvConf: (id, text) => write(id, 'resolv.conf', text),
    writeHostname: (id, hostname) => write(id, 'hostname', `${hostname}\n`),
    remove: (id) => rm(directory(id), { recursive: true, force: true }),
  };
}

/** /etc/hosts as Docker writes it. */
export function hostsText(entries: readonly { ip: string; names: readonly string[] }[]): string {
  const base = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
  ];
  return `${base.join('\n')}\n${hostsLines(entries)}`;
}

/** What is added to /etc/hosts, here or to the machine's own. */
export const hostsLines = (entries: readonly { ip: string; names: readonly string[] }[]): string =>
  entries.map(({ ip, names }) => `${ip}\t${names.join(' ')}\n`).join('');

/** What of a container's own lies over its root's /etc. */
export const ETC_FILES = ['resolv.conf', 'hostname', 'hosts'] as const;

/** Mounts of these files from a directory. What lies over a read-only root is no way to write into it: they follow the root. */
export const etcMounts = (directory: string, readOnly: boolean): SpecMount[] =>
  ETC_FILES.map((name) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(directory, name),
    options: ['rbind', 'rprivate', ...(readOnly ? ['ro'] : [])],
  }));
