import { invalid, messageOf } from '../common/index.ts';
import type { Image, ImageStore } from '../images/index.ts';
import { parseReference } from '../registry/index.ts';
import { type Platform, RegistryAuth } from '../wire/index.ts';
import type { Send } from './messages.ts';

export interface BaseImages {
  images: ImageStore;
  registryConfig: Record<string, unknown>;
  pullAlways: boolean;
  send: Send;
  signal: AbortSignal;
}

/** Hosts under which clients keep Docker Hub's credentials. */
const HUB_KEYS = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'];

/** A stage's base by name, pulled if it is not here (or always). `platform`: only if the file or the caller names one. */
export async function findBase(parts: BaseImages, name: string, platform: Platform | undefined): Promise<Image> {
  const { images, registryConfig, send, signal } = parts;
  const local = images.find(name);
  const fits = (image: Image) =>
    platform === undefined || (image.config.architecture === platform.architecture && image.config.os === platform.os);
  if (local !== undefined && fits(local) && (!parts.pullAlways || /^(?:sha256:)?[0-9a-f]{12,64}$/.test(name)))
    return local;
  const reference = parseReference(name);
  const keys = reference.domain === 'docker.io' ? HUB_KEYS : [reference.domain, `https://${reference.domain}`];
  const auth = keys.map((key) => RegistryAuth.safeParse(registryConfig[key])).find((parsed) => parsed.success)?.data;
  await images.pull({
    image: name,
    platform: platform === undefined ? undefined : platformText(platform),
    auth,
    progress: (message) => send({ ...message }),
    signal,
  });
  return images.resolve(name);
}

export const platformText = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

const ARCHITECTURES: Record<string, [string, string?]> = {
  amd64: ['amd64'],
  x86_64: ['amd64'],
  arm64: ['arm64'],
  aarch64: ['arm64'],
  arm: ['arm', 'v7'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  386: ['386'],
  i386: ['386'],
  ppc64le: ['ppc64le'],
  s390x: ['s390x'],
  riscv64: ['riscv64'],
  mips64le: ['mips64le'],
  loong64: ['loong64'],
};

/** `linux/arm64/v8`, `arm64`, `linux` (containerd platforms.Parse). */
export function parsePlatform(text: string, own: Platform): Platform {
  const parts = text.toLowerCase().split('/');
  const fail = (why: string) =>
    invalid(`failed to parse platform ${text}: ${JSON.stringify(text)}: ${why}: invalid argument`);
  if (parts.some((part) => !/^[a-z0-9_.-]+$/.test(part)) || parts.length > 3)
    throw fail('cannot parse platform specifier');
  if (parts.length === 1) {
    if (parts[0] === 'linux') return own;
    const known = ARCHITECTURES[parts[0]!];
    if (known === undefined) throw fail('unknown operating system or architecture');
    return { os: 'linux', architecture: known[0], ...(known[1] === undefined ? {} : { variant: known[1] }) };
  }
  const [os = '', given = '', variant] = parts;
  const [architecture, usual] = ARCHITECTURES[given] ?? [given];
  const chosen = architecture === 'arm64' && variant === 'v8' ? undefined : (variant ?? usual);
  return { os, architecture, ...(chosen === undefined ? {} : { variant: chosen }) };
}

/** `invalid from flag value x: …`. */
export const fromFlag = (name: string, error: unknown): Error =>
  invalid(`invalid from flag value ${name}: ${messageOf(error)}`, error);
