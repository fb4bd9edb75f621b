import { invalid } from '../common/index.ts';

interface Entry {
  name: string;
  id: number;
  rest: string[];
}

/** Lines of passwd(5) or group(5): `name:x:id:…`; anything else is skipped. */
function entries(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , id = '', ...rest] = line.trim().split(':');
    return name === '' || name.startsWith('#') || !/^\d+$/.test(id) ? [] : [{ name, id: Number(id), rest }];
  });
}

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
}

const MAX_ID = 2 ** 31 - 1;

/**
 * `--user` as Docker resolves it (moby/sys/user GetExecUser): `name`, `uid`, either with `:group` or `:gid`; groups of the user from
 * the group file; `--group-add` on top. The texts are the image's own /etc/passwd and /etc/group, empty if there are none.
 */
export function resolveUser(spec: string, groupAdd: readonly string[], passwd: string, group: string): ResolvedUser {
  const users = entries(passwd);
  const groups = entries(group);
  const cut = spec.indexOf(':');
  const userPart = cut < 0 ? spec : spec.slice(0, cut);
  const groupPart = cut < 0 ? '' : spec.slice(cut + 1);
  const numeric = /^-?\d+$/.test(userPart);
  const user = users.find((entry) =>
    userPart === '' ? entry.id === 0 : entry.name === userPart || (numeric && entry.id === Number(userPart)),
  );
  if (user === undefined && userPart !== '' && !numeric)
    throw invalid(`unable to find user ${userPart}: no matching entries in passwd file`);
  const uid = user?.id ?? (userPart === '' ? 0 : Number(userPart));
  if (uid < 0 || uid > MAX_ID) throw invalid(`uids and gids must be in range 0-${MAX_ID}`);
  let gid = user === undefined ? 0 : Number(user.rest[0] ?? 0);
  const own: number[] = [];
  if (groupPart !== '') {
    const byNumber = /^-?\d+$/.test(groupPart);
    const found = groups.find((entry) => entry.name === groupPart || (byNumber && entry.id === Number(groupPart)));
    if (found === undefined && !byNumber)
      throw invalid(`unable to find group ${groupPart}: no matching entries in group file`);
    gid = found?.id ?? Number(groupPart);
    if (gid < 0 || gid > MAX_ID) throw invalid(`uids and gids must be in range 0-${MAX_ID}`);
  } else if (user !== undefined) {
    for (const entry of groups) if ((entry.rest[0] ?? '').split(',').includes(user.name)) own.push(entry.id);
  }
  const added = groupAdd.map((name) => {
    const byNumber = /^\d+$/.test(name);
    const found = groups.find((entry) => entry.name === name || (byNumber && entry.id === Number(name)));
    if (found === undefined && !byNumber)
      throw invalid(`unable to find group ${name}: no matching entries in group file`);
    return found?.id ?? Number(name);
  });
  return { uid, gid, additionalGids: [...new Set([gid, ...own, ...added])], home: user?.rest[2] || '/' };
}
