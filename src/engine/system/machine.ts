import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, hostname, release } from 'node:os';

const GO_ARCH: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};
const UNAME_ARCH: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64', arm: 'armv7l' };

/** The names of statfs(2)'s magic numbers as moby shows them (graphdriver FsNames). */
const FILE_SYSTEMS: Record<number, string> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  801189825: 'zfs',
  4076150800: 'f2fs',
  2035054128: 'overlayfs',
  3393526350: 'bcachefs',
};

/** What is asked of the machine for /info and /version. */
export const machine = {
  goArch: (): string => GO_ARCH[arch()] ?? arch(),
  unameArch: (): string => UNAME_ARCH[arch()] ?? arch(),
  kernel: (): string => release(),
  hostname: (): string => hostname(),
  cpus: (): number => availableParallelism(),
  /** `PRETTY_NAME` of os-release(5), `VERSION_ID` beside it. */
  system(): { name: string; version: string } {
    const path = ['/etc/os-release', '/usr/lib/os-release'].find((file) => existsSync(file));
    const text = path === undefined ? '' : readFileSync(path, 'utf8');
    const field = (name: string) =>
      new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.replace(/^["']|["']$/g, '') ?? '';
    return { name: field('PRETTY_NAME') || 'Linux', version: field('VERSION_ID') };
  },
  memoryBytes: (): number => Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024,
  openFiles: (): number => readdirSync('/proc/self/fd').length,
  forwardsIpv4: (): boolean => read('/proc/sys/net/ipv4/ip_forward') === '1',
  fileSystem(path: string): string {
    const { type } = statfsSync(path);
    return FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`;
  },
  appArmor: (): boolean => read('/sys/module/apparmor/parameters/enabled') === 'Y',
  seccomp: (): boolean => /^Seccomp:/m.test(readFileSync('/proc/self/status', 'utf8')),
} as const;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
