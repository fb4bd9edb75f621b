import { createHash } from 'node:crypto';
import { conflict, invalid, type Logger, notFound } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { Database } from '../state/index.ts';
import { ImageConfig, Manifest } from '../wire/index.ts';
import type { Image } from './types.ts';

const MIGRATIONS = [
  `CREATE TABLE images (id TEXT PRIMARY KEY, manifest TEXT NOT NULL, parent TEXT, tagged TEXT) STRICT;
   CREATE TABLE image_names (name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images (id), kind TEXT NOT NULL) STRICT;
   CREATE INDEX image_names_of ON image_names (image);`,
  // When the image came, or a container was last seen to use it: what a policy of clean-up goes by.
  'ALTER TABLE images ADD COLUMN used TEXT;',
];

export interface StoredImage extends Image {
  manifest: Manifest;
  /** Chain ids of the layers, bottom to top. */
  chains: string[];
  /** Bytes of the manifest blob. */
  manifestSize: number;
  parent: string | undefined;
  /** When a name was last given by hand (not by a pull or load), RFC 3339. */
  taggedAt: string | undefined;
  /** When it came or was last seen in use, RFC 3339. */
  usedAt: string | undefined;
}

/** A name to give. */
export interface NewName {
  name: string;
  kind: 'tag' | 'digest';
  /** When it was given by hand, RFC 3339; undefined: by a pull, push or load. */
  taggedAt?: string;
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

/** The images of this daemon and their names. The database is the truth; configurations are read from content once and kept. */
export class ImageBook {
  readonly #db: Database;
  readonly #content: ContentStore;
  readonly #images = new Map<string, StoredImage>();
  /** Image id by name. */
  readonly #names = new Map<string, string>();

  private constructor(db: Database, content: ContentStore) {
    this.#db = db;
    this.#content = content;
  }

  /** An image whose blobs are gone or damaged is left out, and said. */
  static async open(db: Database, content: ContentStore, log: Logger): Promise<ImageBook> {
    db.migrate('images', MIGRATIONS);
    const book = new ImageBook(db, content);
    const text = (value: unknown) => (value === null || value === undefined ? undefined : String(value));
    for (const row of db.sql.prepare('SELECT id, manifest, parent, tagged, used FROM images').all()) {
      const id = String(row.id);
      try {
        const image = await book.#read(id, String(row.manifest));
        Object.assign(image, { parent: text(row.parent), taggedAt: text(row.tagged), usedAt: text(row.used) });
        book.#images.set(id, image);
      } catch (error) {
        log.error('image cannot be read', { id, error });
      }
    }
    for (const row of db.sql.prepare('SELECT name, image, kind FROM image_names ORDER BY name').all()) {
      const image = book.#images.get(String(row.image));
      if (image === undefined) continue;
      book.#names.set(String(row.name), image.id);
      (row.kind === 'tag' ? image.repoTags : image.repoDigests).push(String(row.name));
    }
    return book;
  }

  async #read(id: string, manifestDigest: string): Promise<StoredImage> {
    const [configBytes, manifestBytes] = await Promise.all([
      this.#content.read(id),
      this.#content.read(manifestDigest),
    ]);
    const config = ImageConfig.parse(JSON.parse(configBytes.toString()));
    const manifest = Manifest.parse(JSON.parse(manifestBytes.toString()));
    const diffIds = config.rootfs.diff_ids ?? [];
    const chains = chainIds(diffIds);
    const image: StoredImage = {
      id,
      chains,
      config,
      manifest,
      manifestDigest,
      manifestSize: manifestBytes.length,
      diffIds,
      chainId: chains.at(-1),
      repoTags: [],
      repoDigests: [],
      parent: undefined,
      taggedAt: undefined,
      usedAt: undefined,
    };
    return image;
  }

  all(): StoredImage[] {
    return [...this.#images.values()];
  }
  byId(id: string): StoredImage | undefined {
    return this.#images.get(id);
  }
  /** By a name exactly as it is stored: `busybox:latest`, `busybox@sha256:…`. */
  named(name: string): StoredImage | undefined {
    const id = this.#names.get(name);
    return id === undefined ? undefined : this.#images.get(id);
  }
  childrenOf(id: string): StoredImage[] {
    return this.all().filter(({ parent }) => parent === id);
  }

  /**
   * Records an image whose blobs are in content and whose layers are on disk. One that is known keeps its manifest, unless `replace`
   * says that the new one (a registry's) is to be what is pushed from now on. Image and names are recorded in one step, so that nobody
   * ever sees, and removes, it without them.
   */
  async add(
    id: string,
    manifestDigest: string,
    options: { parent?: string; replace?: boolean; usedAt?: string; names?: readonly NewName[] } = {},
  ): Promise<StoredImage> {
    const keeps = (known: StoredImage | undefined): known is StoredImage =>
      known !== undefined && (!options.replace || known.manifestDigest === manifestDigest);
    const before = this.#images.get(id);
    if (keeps(before)) return this.#named(before, options.names);
    const image = await this.#read(id, manifestDigest);
    // Another may have recorded it meanwhile.
    const known = this.#images.get(id);
    if (keeps(known)) return this.#named(known, options.names);
    return this.#record(image, known, options);
  }

  /** Gives a known image another manifest; nothing if it was removed meanwhile. */
  async setManifest(id: string, manifestDigest: string): Promise<void> {
    const image = await this.#read(id, manifestDigest);
    const known = this.#images.get(id);
    if (known !== undefined) this.#record(image, known, {});
  }

  /** What is not the manifest's stays as it was known. */
  #record(
    image: StoredImage,
    known: StoredImage | undefined,
    options: { parent?: string; usedAt?: string; names?: readonly NewName[] },
  ): StoredImage {
    const { id, manifestDigest } = image;
    const { repoTags = [], repoDigests = [], parent = options.parent, taggedAt, usedAt = options.usedAt } = known ?? {};
    Object.assign(image, { repoTags, repoDigests, parent, taggedAt, usedAt });
    this.#db.transaction(() => {
      this.#db.sql
        .prepare(
          'INSERT INTO images (id, manifest, parent, used) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest',
        )
        .run(id, manifestDigest, parent ?? null, usedAt ?? null);
      this.#images.set(id, image);
      this.#named(image, options.names);
    });
    return image;
  }

  #named(image: StoredImage, names: readonly NewName[] = []): StoredImage {
    this.#db.transaction(() => {
      for (const name of names) this.name(image.id, name);
    });
    return image;
  }

  remove(id: string): void {
    this.#db.transaction(() => {
      this.#db.sql.prepare('DELETE FROM image_names WHERE image = ?').run(id);
      this.#db.sql.prepare('DELETE FROM images WHERE id = ?').run(id);
    });
    const image = this.#images.get(id);
    for (const name of [...(image?.repoTags ?? []), ...(image?.repoDigests ?? [])]) this.#names.delete(name);
    this.#images.delete(id);
  }

  used(id: string, at: string): void {
    this.#db.sql.prepare('UPDATE images SET used = ? WHERE id = ?').run(at, id);
    const image = this.#images.get(id);
    if (image !== undefined) image.usedAt = at;
  }

  /** Gives a name, taking it from another image. */
  name(id: string, { name, kind, taggedAt }: NewName): void {
    const image = this.#images.get(id);
    if (image === undefined) throw notFound(`No such image: ${id}`);
    this.#db.transaction(() => {
      this.#db.sql
        .prepare('INSERT INTO image_names VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image')
        .run(name, id, kind);
      if (taggedAt !== undefined) this.#db.sql.prepare('UPDATE images SET tagged = ? WHERE id = ?').run(taggedAt, id);
    });
    this.#forget(name);
    this.#names.set(name, id);
    const list = kind === 'tag' ? 'repoTags' : 'repoDigests';
    image[list] = [...image[list], name].sort();
    image.taggedAt = taggedAt ?? image.taggedAt;
  }

  unname(name: string): void {
    this.#db.sql.prepare('DELETE FROM image_names WHERE name = ?').run(name);
    this.#forget(name);
  }

  #forget(name: string): void {
    const before = this.named(name);
    this.#names.delete(name);
    if (before === undefined) return;
    before.repoTags = before.repoTags.filter((known) => known !== name);
    before.repoDigests = before.repoDigests.filter((known) => known !== name);
  }

  /** By id, name, `name@digest` or a prefix of the id. Throws invalid for what is none of them, conflict for an ambiguous prefix. */
  find(ref: string): StoredImage | undefined {
    const full = /^(?:sha256:)?([0-9a-f]{64})$/.exec(ref)?.[1];
    if (full !== undefined) return this.#images.get(`sha256:${full}`);
    return this.#byName(ref) ?? this.#byPrefix(ref);
  }

  #byName(ref: string): StoredImage | undefined {
    const reference = parseReference(ref);
    const name = familiarName(reference);
    if (reference.digest === undefined) return this.named(familiarString(withDefaultTag(reference)));
    const named = this.named(`${name}@${reference.digest}`);
    if (named !== undefined) return named;
    // `name@ID` of an image with that name.
    const image = this.#images.get(reference.digest);
    return image?.repoTags.some((tag) => tag.startsWith(`${name}:`)) ? image : undefined;
  }

  #byPrefix(ref: string): StoredImage | undefined {
    const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(ref)?.[1];
    if (prefix === undefined) return undefined;
    const found = this.all().filter(({ id }) => id.startsWith(`sha256:${prefix}`));
    if (found.length > 1) throw conflict(`ambiguous reference: ${ref}`);
    return found[0];
  }

  resolve(ref: string): StoredImage {
    if (ref === '') throw invalid('invalid reference format');
    const image = this.find(ref);
    if (image !== undefined) return image;
    const full = /^[0-9a-f]{64}$/.test(ref) ? `sha256:${ref}` : undefined;
    throw notFound(
      `No such image: ${full ?? (/^sha256:/.test(ref) ? ref : familiarString(withDefaultTag(parseReference(ref))))}`,
    );
  }
}
