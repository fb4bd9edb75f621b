import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { internal, isErrno } from '../common/index.ts';

export interface Certificates {
  /** Authorities, the machine's own among them; undefined: the machine's own only. */
  ca: (string | Buffer)[] | undefined;
  cert: Buffer | undefined;
  key: Buffer | undefined;
}

/** `DIR/HOST[:PORT]`: `*.crt` are authorities, `NAME.cert` with `NAME.key` the client's own (Docker's layout). */
export function readCertificates(host: string, dirs: readonly string[]): Certificates {
  const found: Certificates = { ca: undefined, cert: undefined, key: undefined };
  for (const dir of dirs.map((base) => join(base, host)))
    for (const name of filesIn(dir)) {
      if (name.endsWith('.crt')) found.ca = [...(found.ca ?? rootCertificates), readFileSync(join(dir, name))];
      else if (name.endsWith('.cert')) {
        const key = name.replace(/\.cert$/, '.key');
        if (!filesIn(dir).includes(key))
          throw internal(
            `missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
          );
        found.cert = readFileSync(join(dir, name));
        found.key = readFileSync(join(dir, key));
      }
    }
  return found;
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}
