/** An image's name as people write it, taken apart (distribution/reference). */
export interface ImageReference {
  /** `docker.io`, `localhost:5000`. */
  domain: string;
  /** `library/busybox`. */
  path: string;
  tag?: string;
  digest?: string;
  /** The short form with tag: `busybox:latest`. */
  familiar: string;
  /** The short form without tag or digest. */
  familiarName: string;
}

const NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Parses and fills in the defaults: Docker Hub, `library/`, `latest`. Throws Error with Docker's words. */
export function normalizeReference(text: string): ImageReference {
  const match = /^([^@]*?)(?::([^:/@]*))?(?:@(.*))?$/.exec(text);
  const [, name = '', tag, digest] = match ?? [];
  const bad = (): never => {
    throw new Error('invalid reference format');
  };
  if (text === '' || name === '') bad();
  if (/^[0-9a-f]{64}$/.test(text))
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) bad();
  if (digest !== undefined && !/^[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/.test(digest)) bad();
  const cut = name.indexOf('/');
  const first = cut < 0 ? '' : name.slice(0, cut);
  const hasDomain = cut >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  let domain = hasDomain ? first : 'docker.io';
  let path = hasDomain ? name.slice(cut + 1) : name;
  if (domain === 'index.docker.io') domain = 'docker.io';
  if (domain === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (path !== path.toLowerCase())
    throw new Error(`invalid reference format: repository name (${path}) must be lowercase`);
  if (!NAME.test(path) || !/^(\[[\da-fA-F:]+\]|[\w.-]+)(:\d+)?$/.test(domain)) bad();
  const familiarName = domain === 'docker.io' ? path.replace(/^library\//, '') : `${domain}/${path}`;
  const shown = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    domain,
    path,
    ...(shown === undefined ? {} : { tag: shown }),
    ...(digest === undefined ? {} : { digest }),
    familiarName,
    familiar: `${familiarName}${shown === undefined ? '' : `:${shown}`}${digest === undefined ? '' : `@${digest}`}`,
  };
}

/** True if the text names neither tag nor digest. */
export const isNameOnly = (text: string): boolean => !/[:@][^/]*$/.test(text.replace(/^[^/]*:\d+\//, ''));
