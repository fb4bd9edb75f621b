import { access, readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { internal, invalid, notFound } from '../common/index.ts';

/** A volume driver outside of Gantry: Docker's plugin protocol (Docker documentation, "Docker volume plugins"), JSON over HTTP. */
export interface VolumePlugin {
  scope: 'local' | 'global';
  create(name: string, options: Record<string, string>): Promise<void>;
  remove(name: string): Promise<void>;
  /** Returns the host path. */
  mount(name: string, id: string): Promise<string>;
  unmount(name: string, id: string): Promise<void>;
  /** undefined if the plugin does not know it. */
  get(name: string): Promise<PluginVolume | undefined>;
  list(): Promise<PluginVolume[]>;
}
export interface PluginVolume {
  name: string;
  mountpoint: string;
  created: string | undefined;
  status: Record<string, unknown> | undefined;
}

const VolumeAnswer = z.object({
  Name: z.string().nullish(),
  Mountpoint: z.string().nullish(),
  CreatedAt: z.string().nullish(),
  Status: z.record(z.string(), z.unknown()).nullish(),
});
const Answer = z.object({
  Err: z.string().nullish(),
  Implements: z.array(z.string()).nullish(),
  Mountpoint: z.string().nullish(),
  Volume: VolumeAnswer.nullish(),
  Volumes: z.array(VolumeAnswer).nullish(),
  Capabilities: z.object({ Scope: z.string().nullish() }).nullish(),
});
type Answer = z.infer<typeof Answer>;

type Address = { socketPath: string } | { host: string; port: number };
const MAX_ANSWER = 16 * 1024 * 1024;
/** A driver may attach a disk or talk to a server. */
const TIMEOUT_MS = 120_000;
const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.1+json';

function addressFrom(text: string): Address {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (url?.protocol === 'unix:') return { socketPath: url.pathname };
  if ((url?.protocol === 'tcp:' || url?.protocol === 'http:') && url.port !== '')
    return { host: url.hostname, port: Number(url.port) };
  throw invalid(`invalid address of a plugin: ${text.trim()}`);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** `NAME.sock`, else `NAME.spec` (a URL), else `NAME.json` (`{"Addr": …}`), in the order of directories. */
async function addressOf(name: string, dirs: readonly string[]): Promise<Address> {
  const safe = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name);
  for (const dir of safe ? dirs : []) {
    for (const socketPath of [join(dir, `${name}.sock`), join(dir, name, `${name}.sock`)])
      if (await exists(socketPath)) return { socketPath };
    const spec = await readFile(join(dir, `${name}.spec`), 'utf8').catch(() => undefined);
    if (spec !== undefined) return addressFrom(spec);
    const json = await readFile(join(dir, `${name}.json`), 'utf8').catch(() => undefined);
    if (json === undefined) continue;
    const { Addr, TLSConfig } = z
      .object({ Addr: z.string(), TLSConfig: z.unknown().optional() })
      .parse(JSON.parse(json));
    if (TLSConfig !== undefined && TLSConfig !== null)
      throw invalid(`plugin ${name}: TLS is not supported, use a socket`);
    return addressFrom(Addr);
  }
  throw notFound(`plugin ${JSON.stringify(name)} not found`);
}

/** The names of all plugins that are there, of whatever kind. */
export async function pluginNames(dirs: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const dir of dirs)
    for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
      const match = /^(.+)\.(sock|spec|json)$/.exec(entry.name);
      if (match !== null) names.add(match[1] as string);
      else if (entry.isDirectory() && (await exists(join(dir, entry.name, `${entry.name}.sock`))))
        names.add(entry.name);
    }
  return [...names].sort();
}

function call(address: Address, method: string, body: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { Accept: MEDIA_TYPE, 'Content-Type': MEDIA_TYPE };
    const outgoing = request(
      { ...address, method: 'POST', path: `/${method}`, headers, timeout: TIMEOUT_MS, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER) outgoing.destroy(internal('the plugin answered too much'));
          else chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const failed = answer.statusCode !== 200;
          try {
            const parsed = Answer.parse(JSON.parse(text || '{}'));
            if (parsed.Err) reject(internal(`${method}: ${parsed.Err}`));
            else if (failed) reject(internal(`${method}: status ${answer.statusCode}`));
            else resolve(parsed);
          } catch (error) {
            reject(internal(`${method}: ${failed ? text.trim() : 'no valid answer'}`, error));
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(internal('the plugin does not answer')));
    outgoing.on('error', (error) => reject(internal(`${method}: ${error.message}`, error)));
    outgoing.end(JSON.stringify(body ?? {}));
  });
}

/** Finds a plugin by its driver name and asks what it is. Throws not-found in Docker's words. */
export async function findPlugin(name: string, dirs: readonly string[]): Promise<VolumePlugin> {
  const address = await addressOf(name, dirs);
  const { Implements } = await call(address, 'Plugin.Activate', undefined);
  if (!Implements?.includes('VolumeDriver'))
    throw notFound(`plugin ${JSON.stringify(name)} not found: it is no volume driver`);
  const driver = (method: string, body: Record<string, unknown>) => call(address, `VolumeDriver.${method}`, body);
  // A driver of the first protocol has no such call; then it is local.
  const scope = await driver('Capabilities', {}).then(
    ({ Capabilities }) => (Capabilities?.Scope === 'global' ? 'global' : 'local'),
    () => 'local' as const,
  );
  const volumeOf = (answer: z.infer<typeof VolumeAnswer>, fallback: string): PluginVolume => ({
    name: answer.Name || fallback,
    mountpoint: answer.Mountpoint ?? '',
    created: answer.CreatedAt ?? undefined,
    status: answer.Status ?? undefined,
  });
  return {
    scope,
    create: async (volume, options) => void (await driver('Create', { Name: volume, Opts: options })),
    remove: async (volume) => void (await driver('Remove', { Name: volume })),
    mount: async (volume, id) => (await driver('Mount', { Name: volume, ID: id })).Mountpoint ?? '',
    unmount: async (volume, id) => void (await driver('Unmount', { Name: volume, ID: id })),
    async get(volume) {
      // Docker's drivers answer an unknown volume with an error of any text.
      const { Volume } = await driver('Get', { Name: volume }).catch(() => ({ Volume: undefined }));
      return Volume === undefined || Volume === null ? undefined : volumeOf(Volume, volume);
    },
    list: async () => ((await driver('List', {})).Volumes ?? []).map((volume) => volumeOf(volume, '')),
  };
}
