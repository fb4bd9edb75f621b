import { isIP } from 'node:net';
import { invalid } from '../common/index.ts';

/** Checks of single options; each throws invalid, naming the option. */

/** What logs can be written by (src/engine/logs). */
export const LOG_DRIVERS = ['json-file', 'local', 'none'] as const;

/** Options with one value only: said is accepted, anything else refused. */
export function checkFixed(
  text: (name: string) => string | undefined,
  list: (name: string) => string[],
  map: (name: string) => Record<string, string>,
): void {
  const driver = text('storage-driver') ?? 'overlay2';
  if (driver !== 'overlay2' && driver !== 'overlayfs')
    throw invalid(`storage-driver ${driver} is not supported: overlay2 is the only one`);
  for (const option of list('exec-opts'))
    if (option !== 'native.cgroupdriver=cgroupfs')
      throw invalid(`exec-opt ${option} is not supported: native.cgroupdriver=cgroupfs is the only one`);
  for (const [name, value] of Object.entries(map('features'))) {
    if (name !== 'buildkit' && name !== 'containerd-snapshotter' && name !== 'cdi')
      throw invalid(`unknown feature: ${name}`);
    if (value !== 'false') throw invalid(`feature ${name} is not supported: it may only be false`);
  }
}

export function checkHost(host: string): string {
  const match = /^(unix|tcp|fd):\/\/(.*)$/.exec(host);
  if (match === null)
    throw invalid(`invalid bind address (${host}): unsupported protocol, use unix://, tcp:// or fd://`);
  if (match[1] === 'unix' && !match[2]?.startsWith('/'))
    throw invalid(`invalid bind address (${host}): an absolute path is needed`);
  return host;
}

export function checkIp(name: string, ip: string): string {
  if (isIP(ip) === 0) throw invalid(`invalid ${name}: ${ip} is not an IP address`);
  return ip;
}

export function checkCidr(name: string, text: string | undefined, family: 4 | 6): string | undefined {
  if (text === undefined) return undefined;
  const [address = '', bits = ''] = text.split('/');
  if (isIP(address) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    throw invalid(`invalid ${name}: invalid CIDR address: ${text}`);
  return text;
}

export function checkLogDriver(driver: string): string {
  if (!(LOG_DRIVERS as readonly string[]).includes(driver))
    throw invalid(`logger: no log driver named '${driver}' is registered (there are ${LOG_DRIVERS.join(', ')})`);
  return driver;
}

export function checkLabel(label: string): string {
  if (!/^[^=\s]+=/.test(label)) throw invalid(`bad attribute format: ${label}`);
  return label;
}

export function checkMirror(mirror: string): string {
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  const plain =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '';
  if (!plain)
    throw invalid(
      `invalid mirror: ${JSON.stringify(mirror)} must be an http or https URL without user, query and fragment`,
    );
  return mirror;
}
