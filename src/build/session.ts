import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { invalid, isErrno } from '../common/index.ts';
import { MS, mount, unmount } from '../sys/index.ts';
import { forget } from './secret-box.ts';

/** Who may open what the mount shows. */
export interface Access {
  mode: number;
  uid: number;
  gid: number;
}

/** What only the client has: its secrets and the sockets of its SSH agents. Nothing of it outlives the build. */
export class BuildSession {
  readonly #parent: string;
  readonly #secrets: Map<string, Buffer>;
  readonly #agents: ReadonlyMap<string, string>;
  readonly #servers = new Set<Server>();
  #directory: string | undefined;
  #files = 0;

  /** `parent`: directory for the mount points of builds. */
  constructor(parent: string, secrets: Map<string, Buffer>, agents: ReadonlyMap<string, string>) {
    this.#parent = parent;
    this.#secrets = secrets;
    this.#agents = agents;
  }

  /** Undefined: the client did not give it, and the step can do without. */
  secret(id: string, required: boolean): Buffer | undefined {
    const value = this.#secrets.get(id);
    if (value === undefined && required) throw invalid(`secret ${id}: not found`);
    return value;
  }

  /** A file in memory, for a bind mount. */
  secretFile(value: Buffer, access: Access): string {
    const path = this.#place('secret');
    writeFileSync(path, value);
    return withAccess(path, access);
  }

  /** A socket that leads to the client's agent, for a bind mount. */
  async agentSocket(id: string, required: boolean, access: Access): Promise<string | undefined> {
    const agent = this.#agents.get(id);
    if (agent === undefined) {
      if (required) throw invalid(`unset ssh forward key ${id}`);
      return undefined;
    }
    const path = this.#place('agent');
    const server = createServer({ allowHalfOpen: true }, (caller) => {
      const there = connect({ path: agent, allowHalfOpen: true });
      const end = () => {
        caller.destroy();
        there.destroy();
      };
      for (const side of [caller, there]) side.on('error', end).on('close', end);
      caller.pipe(there).pipe(caller);
    });
    this.#servers.add(server);
    await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done));
    return withAccess(path, access);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    forget(this.#secrets);
    if (this.#directory !== undefined) drop(this.#directory);
    this.#directory = undefined;
  }

  /** In a ramfs: unlike a tmpfs it is never swapped out. */
  #place(kind: string): string {
    if (this.#directory === undefined) {
      mkdirSync(this.#parent, { recursive: true, mode: 0o700 });
      this.#directory = mkdtempSync(join(this.#parent, 's-'));
      mount('secrets', this.#directory, 'ramfs', MS.NOSUID | MS.NODEV | MS.NOEXEC, 'mode=0700');
    }
    this.#files++;
    return join(this.#directory, `${kind}-${this.#files}`);
  }
}

function withAccess(path: string, { mode, uid, gid }: Access): string {
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return path;
}

function drop(directory: string): void {
  try {
    unmount(directory);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
  }
  rmdirSync(directory);
}

/** Takes away what the sessions of a killed daemon's builds left below `parent`. */
export function dropSessions(parent: string): void {
  try {
    for (const name of readdirSync(parent)) drop(join(parent, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
