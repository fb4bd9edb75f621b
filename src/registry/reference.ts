import { invalid } from '../common/index.ts';

/**
 * Image references as Docker reads them (distribution/reference): `[domain/]path[:tag][@digest]`. A first part without dot, colon,
 * upper case and other than `localhost` is no domain; the default domain is docker.io, its default namespace `library`.
 */
export interface Reference {
  domain: string;
  /** Without the domain: `library/busybox`. */
  path: string;
  tag: string | undefined;
  digest: string | undefined;
}

export const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const NAMESPACE = 'library/';

// distribution/reference/regexp.go
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`);
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const MAX_NAME = 255;

/** Hex digits of the digests that go-digest knows; others are refused. */
const DIGEST_HEX: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

const badFormat = () => invalid('invalid reference format');

export const isTag = (text: string): boolean => TAG.test(text);

/** Throws `invalid reference format` and its kin. */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text))
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (path !== path.toLowerCase())
    throw invalid(`invalid reference format: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !PATH.test(path)) throw badFormat();
  if (tag !== undefined && !TAG.test(tag)) throw badFormat();
  if (digest !== undefined) checkDigest(digest);
  if (path.length > MAX_NAME) throw invalid(`repository name must not be more than ${MAX_NAME} characters`);
  return { domain, path, tag, digest };
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = !named || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const rest = named ? text.slice(slash + 1) : text;
  return { domain, rest: domain === DEFAULT_DOMAIN && !rest.includes('/') ? `${NAMESPACE}${rest}` : rest };
}

function checkDigest(digest: string): void {
  if (!DIGEST.test(digest)) throw badFormat();
  const [algorithm = '', hex = ''] = digest.split(':');
  const length = DIGEST_HEX[algorithm];
  if (length === undefined) throw invalid('unsupported digest algorithm');
  if (hex.length !== length) throw invalid('invalid checksum digest length');
  if (!/^[0-9a-f]+$/.test(hex)) throw invalid('invalid checksum digest format');
}

/** The short name that people see: `busybox`, `user/app`, `host:5000/app`. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const [first, second, ...more] = path.split('/');
  return first === 'library' && second !== undefined && more.length === 0 ? second : path;
}

export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

/** `name:tag`, `name@digest`; both where both are there. */
export function familiarString(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

/** `docker.io/library/busybox`: the whole name. */
export const fullName = ({ domain, path }: Reference): string => `${domain}/${path}`;
