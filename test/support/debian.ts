import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { execute } from './command.ts';

const checkout = resolve(import.meta.dirname, '../..');

export const hasMmdebstrap = (process.env.PATH ?? '')
  .split(delimiter)
  .some((dir) => existsSync(join(dir, 'mmdebstrap')));

/** This machine's own suite, from where its packages come. */
export function ownSuite(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return (/^ID=debian$/m.test(release) && /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1]) || 'stable';
}

/** A Debian tree with some packages as a tar, made once by mmdebstrap (about a minute, and 150 MB or more). */
export async function debianTar(suite: string, packages: readonly string[] = []): Promise<string> {
  const cache = join(process.env.GANTRY_CACHE ?? join(checkout, '.cache'), 'data');
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${[suite, ...packages].join('-')}.tar`);
  if (existsSync(file)) return file;
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const outcome = await execute(
    'mmdebstrap',
    ['--quiet', '--format=tar', '--variant=minbase', ...include, suite, `${file}.part`],
    { timeoutMs: 600_000 },
  );
  if (outcome.code !== 0) throw new Error(`mmdebstrap ${suite}: ${outcome.stderr}`);
  renameSync(`${file}.part`, file);
  return file;
}
