import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const OCI = 'application/vnd.oci.image';
export const TYPES = {
  index: `${OCI}.index.v1+json`,
  manifest: `${OCI}.manifest.v1+json`,
  config: `${OCI}.config.v1+json`,
  layer: `${OCI}.layer.v1.tar+gzip`,
};

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: { os: string; architecture: string; variant?: string };
}

/** Answers a request itself (true) or leaves it to the registry. */
type Interception = (request: IncomingMessage, response: ServerResponse, bytes: Buffer | undefined) => boolean;

/** A read-only registry in this process, whose answers a test can spoil. `await using` ends it. */
export class CraftedRegistry {
  readonly blobs = new Map<string, Buffer>();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  /** `METHOD PATH RANGE` of each request. */
  readonly asked: string[] = [];
  intercept: Interception = () => false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<CraftedRegistry> {
    const registry = new CraftedRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  addBlob(bytes: Buffer, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  addManifest(name: string, document: object, mediaType: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    const [repository] = name.split(':');
    this.manifests.set(name, { bytes, mediaType });
    this.manifests.set(`${repository}@${digest}`, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  /** An image of these layers (tars); `spoil` changes its manifest before it is stored. */
  addImage(
    name: string,
    tars: readonly Buffer[],
    options: { architecture?: string; spoil?: (layers: Descriptor[], config: Descriptor) => void } = {},
  ): { id: string; manifest: Descriptor; layers: Descriptor[] } {
    const document = {
      architecture: options.architecture ?? 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      history: tars.map(() => ({ created: '2024-01-01T00:00:00Z', created_by: 'test' })),
    };
    const config = this.addBlob(Buffer.from(JSON.stringify(document)), TYPES.config);
    const layers = tars.map((tar) => this.addBlob(gzipSync(tar), TYPES.layer));
    const id = config.digest;
    options.spoil?.(layers, config);
    const manifest = this.addManifest(
      name,
      { schemaVersion: 2, mediaType: TYPES.manifest, config, layers },
      TYPES.manifest,
    );
    return { id, manifest, layers };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    this.asked.push([request.method, path, request.headers.range].filter((part) => part !== undefined).join(' '));
    const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(path) ?? [];
    const blob = kind === 'blobs' ? this.blobs.get(reference) : undefined;
    const manifest = this.manifests.get(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`);
    if (this.intercept(request, response, blob ?? manifest?.bytes)) return;
    if (path === '/v2/') response.end('{}');
    else if (blob !== undefined) sendBlob(request, response, blob);
    else if (kind === 'manifests' && manifest !== undefined) {
      response.setHeader('content-type', manifest.mediaType);
      response.setHeader('docker-content-digest', digestOf(manifest.bytes));
      response.setHeader('content-length', manifest.bytes.length);
      response.end(request.method === 'HEAD' ? undefined : manifest.bytes);
    } else {
      const code = kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN';
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function sendBlob(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start > 0) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  }
  response.setHeader('content-length', bytes.length - start);
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}
