import { closeSync, readFileSync, writeSync } from 'node:fs';
import { check, libc } from './libc.ts';

/** memfd_create(2), fcntl(2); the same on all architectures. */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Since Linux 6.3, where the machine may forbid memory files that are not marked so to be run. */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;

const call = {
  memfdCreate: libc.func('int memfd_create(const char *, unsigned int)'),
  fcntl: libc.func('int fcntl(int, int, ...)'),
};

/** A copy of a file in memory that nobody can change any more, as a descriptor that is closed on exec. The copy lives as long as it is open or runs. */
export function sealedCopy(path: string): number {
  const bytes = readFileSync(path);
  const name = `sealed:${path.slice(-200)}`;
  let descriptor = call.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC) as number;
  if (descriptor < 0) descriptor = check(call.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create', path);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    check(call.fcntl(descriptor, F_ADD_SEALS, 'int', seals), 'fcntl', path);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
