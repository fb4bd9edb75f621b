import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execute } from '../support/index.ts';

const checkout = resolve(import.meta.dirname, '../..');
const cache = join(process.env.GANTRY_CACHE ?? join(checkout, '.cache'), 'data');

/** A Debian tree with some packages as a tar, made once by mmdebstrap (about a minute and 150 MB). */
export async function debianTar(suite: string, packages: readonly string[]): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${suite}-${packages.join('-')}.tar`);
  if (existsSync(file)) return file;
  const outcome = await execute(
    'mmdebstrap',
    ['--quiet', '--format=tar', '--variant=minbase', `--include=${packages.join(',')}`, suite, `${file}.part`],
    { timeoutMs: 600_000 },
  );
  if (outcome.code !== 0) throw new Error(`mmdebstrap ${suite}: ${outcome.stderr}`);
  renameSync(`${file}.part`, file);
  return file;
}
