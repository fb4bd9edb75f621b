import { createHash } from 'node:crypto';
import { conflict, invalid, notFound } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { Database } from '../state/index.ts';
import { ImageConfig, type Manifest, Manifest as ManifestSchema } from '../wire/index.ts';
import type { Image } from './types.ts';

const SCHEMA = `
  CREATE TABLE images (id TEXT PRIMARY KEY, manifest TEXT NOT NULL, parent TEXT, tagged TEXT) STRICT;
  CREATE TABLE image_names (name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images (id), kind TEXT NOT NULL) STRICT;
  CREATE INDEX image_names_of ON image_names (image);`;

export interface StoredImage extends Image {
  manifest: Manifest;
  parent: string | undefined;
  /** When a name was last given here, RFC 3339. */
  taggedAt: string | undefined;
}

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** OCI config.md, "Layer ChainID". */
export function chainIds(diffIds: readonly string[]): string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const parent = chains.at(-1);
    chains.push(parent === undefined ? diffId : sha256(`${parent} ${diffId}`));
  }
  return chains;
}

/** The images of this daemon and their names. Configurations are read from content once and kept. */
export class ImageBook {
  readonly #db: Database;
  readonly #content: ContentStore;
  readonly #images = new Map<string, StoredImage>();

  private constructor(db: Database, content: ContentStore) {
    this.#db = db;
    this.#content = content;
  }

  static async open(db: Database, content: ContentStore): Promise<ImageBook> {
    db.migrate('images', [SCHEMA]);
    const book = new ImageBook(db, content);
    for (const row of db.sql.prepare('SELECT id, manifest, parent, tagged FROM images').all())
      await book.#read(String(row.id), String(row.manifest), row.parent === null ? undefined : String(row.parent), row.tagged === null ? undefined : String(row.tagged));
    for (const row of db.sql.prepare('SELECT name, image, kind FROM image_names ORDER BY name').all()) book.#named(String(row.image), String(row.name), String(row.kind));
    return book;
  }

  async #read(id: string, manifestDigest: string, parent: string | undefined, taggedAt: string | undefined): Promise<StoredImage> {
    const [configBytes, manifestBytes] = await Promise.all([this.#content.read(id), this.#content.read(manifestDigest)]);
    const config = ImageConfig.parse(JSON.parse(configBytes.toString()));
    const manifest = ManifestSchema.parse(JSON.parse(manifestBytes.toString()));
    const diffIds = config.rootfs.diff_ids ?? [];
    const image: StoredImage = { id, config, manifest, manifestDigest, diffIds, chainId: chainIds(diffIds).at(-1), repoTags: [], repoDigests: [], parent, taggedAt };
    this.#images.set(id, image);
    return image;
  }

  #named(imageId: string, name: string, kind: string): void {
    const image = this.#images.get(imageId);
    if (image === undefined) return;
    if (kind === 'tag') image.repoTags.push(name);
    else image.repoDigests.push(name);
  }

  all(): StoredImage[] {
    return [...this.#images.values()];
  }
  byId(id: string): StoredImage | undefined {
    return this.#images.get(id);
  }

  /** Records an image whose blobs are in content and layers on disk. Known images keep their manifest. */
  async add(id: string, manifestDigest: string, parent?: string): Promise<StoredImage> {
    const known = this.#images.get(id);
    if (known !== undefined) return known;
    const image = await this.#read(id, manifestDigest, parent, undefined);
    this.#db.sql.prepare('INSERT INTO images (id, manifest, parent) VALUES (?, ?, ?)').run(id, manifestDigest, parent ?? null);
    return image;
  }

  remove(id: string): void {
    this.#db.transaction(() => {
      this.#db.sql.prepare('DELETE FROM image_names WHERE image = ?').run(id);
      this.#db.sql.prepare('DELETE FROM images WHERE id = ?').run(id);
    });
    this.#images.delete(id);
  }

  /** Gives a name, taking it from another image. */
  name(id: string, name: string, kind: 'tag' | 'digest', taggedAt: string): void {
    const image = this.#images.get(id);
    if (image === undefined) throw notFound(`No such image: ${id}`);
    const list = kind === 'tag' ? 'repoTags' : 'repoDigests';
    this.#db.transaction(() => {
      this.#db.sql.prepare('INSERT INTO image_names VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image').run(name, id, kind);
      if (kind === 'tag') this.#db.sql.prepare('UPDATE images SET tagged = ? WHERE id = ?').run(taggedAt, id);
    });
    for (const other of this.#images.values()) other[list] = other[list].filter((known) => known !== name);
    image[list] = [...image[list], name].sort();
    if (kind === 'tag') image.taggedAt = taggedAt;
  }

  unname(name: string): void {
    this.#db.sql.prepare('DELETE FROM image_names WHERE name = ?').run(name);
    for (const image of this.#images.values()) {
      image.repoTags = image.repoTags.filter((known) => known !== name);
      image.repoDigests = image.repoDigests.filter((known) => known !== name);
    }
  }

  /** By name, digest, id or id prefix. */
  find(ref: string): StoredImage | undefined {
    if (/^sha256:[0-9a-f]{64}$/.test(ref)) return this.#images.get(ref);
    if (/^[0-9a-f]{64}$/.test(ref)) return this.#images.get(`sha256:${ref}`);
    const named = this.#byName(ref);
    if (named !== undefined) return named;
    const prefix = ref.replace(/^sha256:/, '');
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
    const found = [...this.#images.values()].filter(({ id }) => id.startsWith(`sha256:${prefix}`));
    if (found.length > 1) throw conflict(`ambiguous reference: ${ref}`);
    return found[0];
  }

  #byName(ref: string): StoredImage | undefined {
    const reference = parseReference(ref);
    if (reference.digest !== undefined) {
      const name = `${familiarName(reference)}@${reference.digest}`;
      return this.all().find((image) => image.repoDigests.includes(name)) ?? (this.all().find((image) => image.id === reference.digest && image.repoTags.some((tag) => familiarName(parseReference(tag)) === familiarName(reference))));
    }
    const name = familiarString(withDefaultTag(reference));
    return this.all().find((image) => image.repoTags.includes(name));
  }

  resolve(ref: string): StoredImage {
    if (ref === '') throw invalid('invalid reference format');
    const image = this.find(ref);
    if (image !== undefined) return image;
    const text = /^(sha256:)?[0-9a-f]{12,64}$/.test(ref) ? ref : familiarString(withDefaultTag(parseReference(ref)));
    throw notFound(`No such image: ${text}`);
  }
}
