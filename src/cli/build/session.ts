import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** `--secret id=ID[,src=FILE|,env=NAME]`, as buildx reads it. Throws Error with its words. */
export function readSecret(text: string, env: Env): { id: string; value: Buffer } {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const cut = field.indexOf('=');
    if (cut < 0) throw new Error(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, cut).toLowerCase();
    const name = key === 'source' ? 'src' : key;
    if (!['id', 'src', 'env', 'type'].includes(name)) throw new Error(`unexpected key '${key}' in '${field}'`);
    fields.set(name, field.slice(cut + 1));
  }
  const type = fields.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env') throw new Error(`unsupported secret type '${type}'`);
  const id = fields.get('id') ?? fields.get('src') ?? '';
  if (id === '') throw new Error(`secret missing ID: '${text}'`);
  let [path, variable] = [fields.get('src'), fields.get('env')];
  if (type === 'env' && variable === undefined) [path, variable] = [undefined, path ?? id];
  // Only an id: a variable of that name, else a file.
  if (path === undefined && variable === undefined) [path, variable] = env[id] === undefined ? [id] : [undefined, id];
  if (path !== undefined) return { id, value: readFileSync(path) };
  const value = env[variable ?? ''];
  if (value === undefined) throw new Error(`secret ${id}: environment variable ${variable} is not set`);
  return { id, value: Buffer.from(value) };
}

/** `--ssh default|ID[=SOCKET]`: sockets of agents by id. Keys are the agent's matter, so a key file is refused. */
export function readAgents(list: readonly string[], env: Env): Map<string, string> {
  const agents = new Map<string, string>();
  for (const text of list) {
    const cut = text.indexOf('=');
    const id = cut < 0 ? text : text.slice(0, cut);
    const path = cut < 0 ? env.SSH_AUTH_SOCK : text.slice(cut + 1);
    if (path === undefined || path === '')
      throw new Error('invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set');
    if (!statSync(path).isSocket())
      throw new Error(`--ssh ${text}: ${path} is not a socket: add the key to an agent (ssh-add), and give the agent`);
    agents.set(id, resolve(path));
  }
  return agents;
}
