import { readFileSync, statSync } from 'node:fs';
import { parseResolvConf } from './resolv-conf.ts';

/** A file is looked at again at most so often. */
const FRESH_MS = 1000;

/** The name servers of the machine's resolv.conf as it is now: a change is seen without a restart of anything. */
export class HostServers {
  readonly #path: string;
  #read = Number.NEGATIVE_INFINITY;
  #seen = '';
  #servers: readonly string[] = [];

  /** systemd-resolved's stub (127.0.0.53) answers in the machine's namespace, where these are asked from, so the plain file serves too. */
  constructor(path = '/etc/resolv.conf') {
    this.#path = path;
  }

  /** `now` in milliseconds of a clock that does not go back. */
  current(now = performance.now()): readonly string[] {
    if (now - this.#read < FRESH_MS) return this.#servers;
    this.#read = now;
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    // A file put in the place of the old one may be older than it.
    const version = stat === undefined ? 'none' : `${stat.dev} ${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (version === this.#seen) return this.#servers;
    this.#servers = stat === undefined ? [] : parseResolvConf(readFileSync(this.#path, 'utf8')).servers;
    this.#seen = version;
    return this.#servers;
  }
}
