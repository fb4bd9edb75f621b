import { access, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { internal, notFound } from '../common/index.ts';

/** A volume driver outside of Gantry: Docker's plugin protocol (docs.docker.com: "Docker volume plugins"), JSON over HTTP. */
export interface VolumePlugin {
  create(name: string, options: Record<string, string>): Promise<void>;
  remove(name: string): Promise<void>;
  /** Returns the host path. */
  mount(name: string, id: string): Promise<string>;
  unmount(name: string, id: string): Promise<void>;
  get(name: string): Promise<{ mountpoint: string; status: Record<string, unknown> | undefined }>;
}

const Answer = z.object({
  Err: z.string().nullish(),
  Implements: z.array(z.string()).nullish(),
  Mountpoint: z.string().nullish(),
  Volume: z.object({ Mountpoint: z.string().nullish(), Status: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

type Address = { socketPath: string } | { host: string; port: number };
const MAX_ANSWER = 1024 * 1024;

/** `NAME.sock`, else `NAME.spec` (a URL), else `NAME.json` (`{"Addr": …}`), in Docker's order of directories. */
async function addressOf(name: string, dirs: readonly string[]): Promise<Address> {
  const fromUrl = (text: string): Address => {
    const url = new URL(text.trim());
    return url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: Number(url.port) };
  };
  for (const dir of dirs) {
    for (const socketPath of [join(dir, `${name}.sock`), join(dir, name, `${name}.sock`)])
      if (
        await access(socketPath).then(
          () => true,
          () => false,
        )
      )
        return { socketPath };
    const spec = await readFile(join(dir, `${name}.spec`), 'utf8').catch(() => undefined);
    if (spec !== undefined) return fromUrl(spec);
    const json = await readFile(join(dir, `${name}.json`), 'utf8').catch(() => undefined);
    if (json !== undefined) return fromUrl(z.object({ Addr: z.string() }).parse(JSON.parse(json)).Addr);
  }
  throw notFound(`plugin "${name}" not found`);
}

function call(address: Address, method: string, body: unknown): Promise<z.infer<typeof Answer>> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...address,
        method: 'POST',
        path: `/${method}`,
        headers: { Accept: 'application/vnd.docker.plugins.v1.1+json', 'Content-Type': 'application/json' },
        timeout: 30_000,
      },
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
          try {
            const parsed = Answer.parse(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
            if (parsed.Err) reject(internal(`VolumeDriver.${method.split('.')[1]}: ${parsed.Err}`));
            else resolve(parsed);
          } catch (error) {
            reject(error as Error);
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(internal('the plugin does not answer')));
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body ?? {}));
  });
}

/** Finds a plugin by its driver name and asks what it is. */
export async function findPlugin(name: string, dirs: readonly string[]): Promise<VolumePlugin> {
  const address = await addressOf(name, dirs);
  const { Implements } = await call(address, 'Plugin.Activate', undefined);
  if (!Implements?.includes('VolumeDriver')) throw notFound(`plugin "${name}" does not implement VolumeDriver`);
  const driver = (method: string, body: Record<string, unknown>) => call(address, `VolumeDriver.${method}`, body);
  return {
    create: async (volume, Opts) => void (await driver('Create', { Name: volume, Opts })),
    remove: async (volume) => void (await driver('Remove', { Name: volume })),
    mount: async (volume, ID) => (await driver('Mount', { Name: volume, ID })).Mountpoint ?? '',
    unmount: async (volume, ID) => void (await driver('Unmount', { Name: volume, ID })),
    async get(volume) {
      const { Volume } = await driver('Get', { Name: volume });
      return { mountpoint: Volume?.Mountpoint ?? '', status: Volume?.Status ?? undefined };
    },
  };
}
