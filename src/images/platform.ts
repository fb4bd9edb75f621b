import { invalid, notFound } from '../common/index.ts';
import type { Descriptor, Platform } from '../wire/index.ts';

/** As containerd/platforms normalises them: other names, and variants that are the default. */
const ARCHITECTURES: Record<string, { architecture: string; variant?: string }> = {
  i386: { architecture: '386' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
const KNOWN_ARCHITECTURES = [
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
];
const KNOWN_SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd', 'wasip1'];

export function normalised(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const given = platform.architecture.toLowerCase();
  const { architecture, variant: implied } = ARCHITECTURES[given] ?? { architecture: given };
  const variant = (platform.variant ?? implied ?? '').toLowerCase().replace(/^(\d+)$/, 'v$1');
  const isDefault =
    (architecture === 'amd64' && variant === 'v1') ||
    (architecture === 'arm64' && (variant === 'v8' || variant === 'v8.0'));
  const kept = architecture === 'arm' && variant === '' ? 'v7' : isDefault ? '' : variant;
  return { os, architecture, ...(kept === '' ? {} : { variant: kept }) };
}

/** containerd/platforms: the first part may tell a version of the system, as `windows(10.0.17763)`. */
const SYSTEM = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;
const COMPONENT = /^[A-Za-z0-9_.-]+$/;

/** `linux/arm64/v8`, `arm64`, `linux`; the rest is the machine's own. Throws invalid in Docker's words. */
export function parsePlatform(text: string, own: Platform): Platform {
  const refuse = () => invalid(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
  const parts = text.split('/');
  for (const [at, part] of parts.entries()) {
    const pattern = at === 0 ? SYSTEM : COMPONENT;
    if (pattern.test(part)) continue;
    const what = at === 0 ? 'OS component' : 'component';
    const rule = at === 0 ? 'OSAndVersion specifier component' : 'platform specifier component';
    throw invalid(
      `${JSON.stringify(part)} is an invalid ${what} of ${JSON.stringify(text)}: ${rule} must match ${JSON.stringify(pattern.source)}: invalid argument`,
    );
  }
  const [system = '', second, third] = parts;
  const first = system.replace(/\(.*$/, '');
  if (parts.length > 3) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
  if (second !== undefined) return normalised({ os: first, architecture: second, variant: third });
  const { os, architecture, variant } = normalised({ os: first, architecture: first });
  if (KNOWN_SYSTEMS.includes(os)) return os === own.os ? own : { os, architecture: own.architecture };
  if (!KNOWN_ARCHITECTURES.includes(architecture)) throw refuse();
  return architecture === own.architecture && variant === undefined
    ? own
    : { os: own.os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function platformText(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** How far the offered platform is from the wanted one: 0 is the same, undefined cannot run. Newer machines run older variants. */
function distance(wanted: Platform, offered: Platform): number | undefined {
  const a = normalised(wanted);
  const b = normalised(offered);
  if (a.os !== b.os || a.architecture !== b.architecture) return undefined;
  if (a.variant === b.variant) return 0;
  const level = (variant: string | undefined, base: number) =>
    Number(/^v(\d+(?:\.\d+)?)$/.exec(variant ?? '')?.[1] ?? base);
  const base = { amd64: 1, arm64: 8, arm: 7 }[a.architecture];
  if (base === undefined) return a.variant === undefined ? 1 : undefined;
  const gap = level(a.variant, base) - level(b.variant, base);
  return gap >= 0 ? gap : undefined;
}

export const fits = (wanted: Platform, offered: Platform): boolean => distance(wanted, offered) !== undefined;

/** Throws not-found where an image that is here is for another platform: its client may fetch the right one. */
export function checkPlatform(ref: string, offered: Partial<Platform>, wanted: Platform): void {
  const { os, architecture, variant } = offered;
  // Imported by older engines, it need not say.
  if (!os || !architecture || fits(wanted, { os, architecture, variant })) return;
  throw notFound(
    `image with reference ${ref} was found but its platform (${platformText(normalised({ os, architecture, variant }))}) does not match the specified platform (${platformText(wanted)})`,
  );
}

/** False for what builders put beside an image about it: attestations, for no platform (BuildKit, "Image attestation storage"). */
export const isRunnable = ({ annotations, platform }: Descriptor): boolean =>
  annotations?.['vnd.docker.reference.type'] === undefined &&
  !(platform?.os === 'unknown' && platform.architecture === 'unknown');

/** The nearest entry of an index that runs on the platform. */
export function choose(entries: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const runnable = entries.filter(isRunnable);
  const ranked = runnable
    .flatMap((entry) => {
      const gap = entry.platform === undefined ? undefined : distance(wanted, entry.platform);
      return gap === undefined ? [] : [{ entry, gap }];
    })
    .sort((a, b) => a.gap - b.gap);
  if (ranked[0] !== undefined) return ranked[0].entry;
  // An index of one image need not say what it is for.
  return runnable.length === 1 && runnable[0]?.platform === undefined ? runnable[0] : undefined;
}
