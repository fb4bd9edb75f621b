import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A context as Docker stores it: `contexts/meta/<sha256 of the name>/meta.json`, certificates under `contexts/tls/<same>/docker`. */
export interface ContextMeta {
  Name: string;
  Metadata: { Description?: string; [key: string]: unknown };
  Endpoints: { docker?: { Host?: string; SkipTLSVerify: boolean }; [key: string]: unknown };
}

const TLS_FILES = ['ca.pem', 'cert.pem', 'key.pem'] as const;
export type TlsFiles = Partial<Record<(typeof TLS_FILES)[number], Buffer>>;

/** Loaded only when a context has a name: most commands have none, and node:crypto takes milliseconds. */
const idOf = (name: string): string =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex');

/** Refuses what Docker does not take for a name. */
export function checkContextName(name: string): void {
  if (name === '') throw new Error('context name cannot be empty');
  if (name === 'default') throw new Error('"default" is a reserved context name');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name))
    throw new Error(
      `context name "${name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
}

/** The contexts under a configuration folder. */
export class ContextStore {
  private readonly root: string;
  constructor(configDir: string) {
    this.root = join(configDir, 'contexts');
  }
  metaPath(name: string): string {
    return join(this.root, 'meta', idOf(name));
  }
  tlsPath(name: string): string {
    return join(this.root, 'tls', idOf(name));
  }
  list(): ContextMeta[] {
    const dir = join(this.root, 'meta');
    if (!existsSync(dir)) return [];
    return readdirSync(dir)
      .filter((id) => existsSync(join(dir, id, 'meta.json')))
      .map((id) => JSON.parse(readFileSync(join(dir, id, 'meta.json'), 'utf8')) as ContextMeta)
      .toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
  }
  has(name: string): boolean {
    return existsSync(join(this.metaPath(name), 'meta.json'));
  }
  /** Throws Error with Docker's message if there is no such context. */
  get(name: string): ContextMeta {
    const path = join(this.metaPath(name), 'meta.json');
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as ContextMeta;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new Error(`context "${name}": context not found: open ${path}: no such file or directory`);
      throw error;
    }
  }
  save(meta: ContextMeta): void {
    mkdirSync(this.metaPath(meta.Name), { recursive: true, mode: 0o755 });
    writeFileSync(join(this.metaPath(meta.Name), 'meta.json'), JSON.stringify(meta), { mode: 0o644 });
  }
  saveTls(name: string, files: TlsFiles): void {
    rmSync(this.tlsPath(name), { recursive: true, force: true });
    if (Object.keys(files).length === 0) return;
    const dir = join(this.tlsPath(name), 'docker');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(dir, file), content, { mode: 0o600 });
  }
  tls(name: string): TlsFiles {
    const files: TlsFiles = {};
    for (const file of TLS_FILES) {
      const path = join(this.tlsPath(name), 'docker', file);
      if (existsSync(path)) files[file] = readFileSync(path);
    }
    return files;
  }
  remove(name: string): void {
    rmSync(this.metaPath(name), { recursive: true, force: true });
    rmSync(this.tlsPath(name), { recursive: true, force: true });
  }
}
