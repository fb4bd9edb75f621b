import type { RegistryAuth } from '../wire/index.ts';
import type { ConfigData } from './config-file.ts';
import type { Cli } from './session.ts';

/** The key under which Docker keeps Docker Hub's credentials. */
export const HUB = 'https://index.docker.io/v1/';
export const serverKey = (domain: string): string => (domain === 'docker.io' || domain === '' ? HUB : domain);
/** `https://host/v2/` as the host alone, which is how other registries are kept. */
export const hostOf = (server: string): string => server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

type Auth = Partial<RegistryAuth>;
/** All of a command line that counts here. */
type Configured = Pick<Cli, 'config' | 'warn'>;

/** Credentials for a registry: from the configured helper or config.json; nothing if there are none. */
export async function registryAuth(cli: Configured, domain: string): Promise<Auth | undefined> {
  const key = serverKey(domain);
  const { data } = cli.config;
  const helper = data.credHelpers?.[key] ?? data.credHelpers?.[hostOf(key)] ?? data.credsStore;
  if (helper !== undefined && helper !== '') return fromHelper(cli, helper, key);
  const auths = data.auths ?? {};
  const found = auths[key] ?? Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1];
  if (!found) return undefined;
  const auth: Auth = { serveraddress: key };
  if (found.auth) {
    const plain = Buffer.from(found.auth, 'base64').toString();
    const cut = plain.indexOf(':');
    if (cut > 0) {
      auth.username = plain.slice(0, cut);
      auth.password = plain.slice(cut + 1).replace(/\0+$/, '');
    }
  } else {
    auth.username = found.username;
    auth.password = found.password;
  }
  if (found.identitytoken) auth.identitytoken = found.identitytoken;
  if (found.registrytoken) auth.registrytoken = found.registrytoken;
  return auth;
}

async function fromHelper(cli: Configured, helper: string, key: string): Promise<Auth | undefined> {
  let answer: { code: number; stdout: string };
  try {
    answer = await callHelper(helper, 'get', key);
  } catch (error) {
    // As in Docker, what needs no credentials works without them; but it is said why there are none.
    cli.warn(`WARNING: error getting credentials - err: ${(error as Error).message}, out: \`\`\n`);
    return undefined;
  }
  const { code, stdout } = answer;
  if (code !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    cli.warn(`WARNING: error getting credentials - err: exit status ${code}, out: \`${stdout.trim()}\`\n`);
    return undefined;
  }
  const { Username, Secret } = JSON.parse(stdout) as { Username: string; Secret: string };
  // A helper marks an identity token by this user name.
  if (Username === '<token>') return { identitytoken: Secret, serveraddress: key };
  return { username: Username, password: Secret, serveraddress: key };
}

async function callHelper(helper: string, action: string, input: string): Promise<{ code: number; stdout: string }> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [action], { stdio: ['pipe', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'executable file not found in $PATH' : error.message;
      reject(new Error(`exec: "docker-credential-${helper}": ${why}`));
    });
    child.on('close', (code) => resolve({ code: code ?? 1, stdout }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Has a helper store or erase; throws Error with Docker's words if it could not. */
async function change(helper: string, action: 'store' | 'erase', input: string): Promise<void> {
  const refuse = (why: string, out: string): never => {
    const saving = action === 'store' ? 'Error saving credentials: error storing' : 'error erasing';
    throw new Error(`${saving} credentials - err: ${why}, out: \`${out}\``);
  };
  const { code, stdout } = await callHelper(helper, action, input).catch((error: Error) => refuse(error.message, ''));
  if (code === 0 || (action === 'erase' && /not found/i.test(stdout))) return;
  refuse(`exit status ${code}`, stdout.trim());
}

const helperFor = (data: ConfigData, key: string): string | undefined =>
  data.credHelpers?.[key] ?? data.credHelpers?.[hostOf(key)] ?? data.credsStore;

/** Keeps credentials: in the helper if one is configured, else in config.json (where a warning is due). True if they were written to the file, and not there before. */
export async function storeAuth(cli: Configured, key: string, auth: Auth): Promise<boolean> {
  const { data } = cli.config;
  const helper = helperFor(data, key);
  data.auths ??= {};
  if (helper) {
    const secret = auth.identitytoken
      ? { Username: '<token>', Secret: auth.identitytoken }
      : { Username: auth.username, Secret: auth.password };
    await change(helper, 'store', JSON.stringify({ ServerURL: key, ...secret }));
    data.auths[key] = {};
  } else {
    const kept: NonNullable<ConfigData['auths']>[string] = auth.identitytoken
      ? { auth: Buffer.from(`${auth.username ?? ''}:`).toString('base64'), identitytoken: auth.identitytoken }
      : { auth: Buffer.from(`${auth.username}:${auth.password}`).toString('base64') };
    const before = data.auths[key];
    if (before?.auth === kept.auth && before?.identitytoken === kept.identitytoken) return false;
    data.auths[key] = kept;
  }
  cli.config.save();
  return !helper;
}

/** Forgets credentials; false if there were none. */
export async function eraseAuth(cli: Configured, key: string): Promise<boolean> {
  const { data } = cli.config;
  const helper = helperFor(data, key);
  const names = [key, hostOf(key), `https://${hostOf(key)}`, `http://${hostOf(key)}`];
  const known = names.filter((name) => data.auths?.[name] !== undefined);
  if (helper) {
    await change(helper, 'erase', key);
  }
  for (const name of known) delete data.auths![name];
  if (known.length > 0) cli.config.save();
  return known.length > 0 || Boolean(helper);
}

/** All credentials of config.json by server, as a classic build sends them (`X-Registry-Config`). */
export async function allAuths(cli: Configured): Promise<Record<string, Auth>> {
  const { data } = cli.config;
  const result: Record<string, Auth> = {};
  for (const key of new Set([...Object.keys(data.auths ?? {}), ...Object.keys(data.credHelpers ?? {})])) {
    const auth = await registryAuth(cli, key === HUB ? 'docker.io' : key).catch(() => undefined);
    if (auth) result[key] = auth;
  }
  return result;
}
