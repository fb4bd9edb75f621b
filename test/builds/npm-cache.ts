import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { z } from 'zod';

/** An npm package's document (npm/registry, docs/responses/package-metadata.md): what is looked into here. */
const Document = z.looseObject({
  versions: z.record(z.string(), z.looseObject({ dist: z.looseObject({ tarball: z.string() }) })),
});

/**
 * An npm registry on loopback that keeps in a directory what it was asked for: the first run fetches from `upstream`, later ones need no
 * network.
 */
export class NpmCache {
  readonly #upstream: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #dispatcher: Dispatcher = new EnvHttpProxyAgent({
    connect: { ca: [...getCACertificates('default'), ...getCACertificates('system')] },
  });

  private constructor(upstream: string, directory: string) {
    this.#upstream = upstream.replace(/\/$/, '');
    this.#directory = directory;
    this.#server = createServer((asked, answer) => {
      this.#answer(asked.url ?? '/').then(
        (body) => void answer.end(body),
        (error: unknown) => void answer.writeHead(502).end(`${error}\n`),
      );
    });
  }

  static async start(upstream: string, directory: string): Promise<NpmCache> {
    mkdirSync(directory, { recursive: true });
    const cache = new NpmCache(upstream, directory);
    await new Promise<void>((done) => cache.#server.listen(0, '127.0.0.1', done));
    return cache;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where a version's archive is to be had. */
  async tarball(name: string, version: string): Promise<string> {
    const found = (await this.#document(`/${name}`)).versions[version];
    if (found === undefined) throw new Error(`no version ${version} of ${name}`);
    return found.dist.tarball;
  }

  async #answer(path: string): Promise<string | Buffer> {
    const tarball = /^\/tarball\/([^/]+)/.exec(path)?.[1];
    if (tarball !== undefined) return this.#kept(decodeURIComponent(tarball));
    return JSON.stringify(await this.#document(path));
  }

  /** With archives' addresses that lead here. */
  async #document(path: string): Promise<z.output<typeof Document>> {
    const document = Document.parse(JSON.parse((await this.#kept(`${this.#upstream}${path}`)).toString()));
    for (const { dist } of Object.values(document.versions))
      dist.tarball = `${this.url}/tarball/${encodeURIComponent(dist.tarball)}/package.tgz`;
    return document;
  }

  async #kept(url: string): Promise<Buffer> {
    const file = join(this.#directory, createHash('sha256').update(url).digest('hex'));
    if (!existsSync(file)) {
      const { statusCode, body } = await request(url, { dispatcher: this.#dispatcher });
      const bytes = Buffer.from(await body.arrayBuffer());
      if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${bytes.toString().slice(0, 200)}`);
      writeFileSync(`${file}.part`, bytes);
      renameSync(`${file}.part`, file);
    }
    return readFileSync(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#dispatcher.destroy();
  }
}
