import { readFileSync } from 'node:fs';
import { type ModeChange, type Owner, parseModeClauses } from '../archive/index.ts';
import { invalid } from '../common/index.ts';
import { findStat, resolveInRoot } from './root-path.ts';

/**
 * `user[:group]` of `--chown`, by names of the stage's own passwd and group files, or by numbers. Without a group it is the user's own, or
 * the user's number.
 */
export function ownerOf(root: string, text: string): Owner {
  const [user = '', group] = text.split(':', 2);
  const fail = (why: string) => invalid(`unable to convert uid/gid chown string to host mapping: ${why}`);
  const uid = user === '' ? 0 : (numberOf(user) ?? lookUp(root, 'etc/passwd', user));
  if (uid === undefined) throw fail(`can't find uid for user ${user}: no such user: ${user}`);
  const gid =
    group === undefined
      ? (numberOf(user) ?? lookUp(root, 'etc/passwd', user, PRIMARY_GROUP) ?? uid)
      : group === ''
        ? 0
        : (numberOf(group) ?? lookUp(root, 'etc/group', group));
  if (gid === undefined) throw fail(`can't find gid for group ${group}: no such group: ${group}`);
  return { uid, gid };
}

/** Field of passwd(5); its user id and group(5)'s group id are the one before. */
const PRIMARY_GROUP = 3;
const ID = 2;

const numberOf = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

function lookUp(root: string, file: string, name: string, field = ID): number | undefined {
  const path = resolveInRoot(root, file);
  if (findStat(path)?.isFile() !== true) return undefined;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const fields = line.split(':');
    if (fields[0] === name) return numberOf(fields[field] ?? '');
  }
  return undefined;
}

/** `--chmod`: permission bits, octal or as chmod(1)'s clauses (`u=rwX,go=rX`). */
export function modeChangeOf(text: string): ModeChange {
  if (/^[0-9]/.test(text)) return modeOf(text);
  const clauses = parseModeClauses(text);
  if (clauses === undefined)
    throw invalid(`invalid chmod parameter: '${text}'. it should be octal, or clauses like u=rwX,go=rX`);
  return clauses;
}

/** Octal permission bits. */
export function modeOf(text: string): number {
  if (!/^[0-7]{1,5}$/.test(text) || Number.parseInt(text, 8) > 0o7777)
    throw invalid(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`);
  return Number.parseInt(text, 8);
}
