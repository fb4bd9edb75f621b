import { invalid } from '../../common/index.ts';
import { EXPERIMENTAL, type RuleName } from './types.ts';

/** `# check=skip=RULE,…|all;error=true;experimental=RULE,…|all`. */
export interface CheckOptions {
  wants: (rule: RuleName) => boolean;
  /** A warning makes the build fail. */
  error: boolean;
}

export function readCheckOptions(text: string | undefined): CheckOptions {
  const lists = { skip: new Set<string>(), experimental: new Set<string>() };
  let error = false;
  for (const field of (text ?? '').split(';')) {
    if (field.trim() === '') continue;
    const cut = field.indexOf('=');
    const key = (cut < 0 ? field : field.slice(0, cut)).trim();
    const value = cut < 0 ? '' : field.slice(cut + 1).trim();
    if (cut < 0) throw failed(`invalid check option ${JSON.stringify(field)}`);
    if (key === 'skip' || key === 'experimental')
      for (const name of value.split(',')) lists[key].add(name.trim().toLowerCase());
    else if (key !== 'error') throw failed(`invalid check option ${JSON.stringify(key)}`);
    else if (/^(?:1|t|true)$/i.test(value)) error = true;
    else if (!/^(?:0|f|false)$/i.test(value)) throw failed(`invalid check option ${JSON.stringify(field)}`);
  }
  const has = (list: Set<string>, rule: string) => list.has('all') || list.has(rule.toLowerCase());
  return {
    wants: (rule) => !has(lists.skip, rule) && (!EXPERIMENTAL.includes(rule) || has(lists.experimental, rule)),
    error,
  };
}

const failed = (why: string): Error => invalid(`failed to parse check options: ${why}`);
