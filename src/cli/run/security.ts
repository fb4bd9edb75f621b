import { readFileSync } from 'node:fs';

export interface SecurityOptions {
  securityOpt: string[];
  /** `systempaths=unconfined`: nothing is masked or read-only. */
  unconfinedPaths: boolean;
}

/** `--security-opt` values; a seccomp profile's file is read here, for the daemon may be elsewhere. */
export function parseSecurityOpts(values: readonly string[]): SecurityOptions {
  const result: SecurityOptions = { securityOpt: [], unconfinedPaths: false };
  for (const value of values) {
    if (value === 'systempaths=unconfined') {
      result.unconfinedPaths = true;
      continue;
    }
    const separator = value.includes('=') ? '=' : ':';
    const cut = value.indexOf(separator);
    const isBare = /^no-new-privileges(?:[=:]|$)/.test(value);
    if (!isBare && (cut < 0 || cut === value.length - 1))
      throw new Error(`Invalid --security-opt: ${JSON.stringify(value)}`);
    const key = value.slice(0, cut);
    const text = value.slice(cut + 1);
    if (key === 'seccomp' && text !== 'unconfined' && text !== 'builtin')
      result.securityOpt.push(`seccomp=${readProfile(text)}`);
    else result.securityOpt.push(value);
  }
  return result;
}

function readProfile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message;
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: ${why}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${(error as Error).message}`);
  }
}
