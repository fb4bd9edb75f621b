import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientOptions, TlsMaterial } from '../client/index.ts';
import type { ConfigFile } from './config-file.ts';
import { ContextStore } from './contexts.ts';
import { fileError } from './file-errors.ts';
import { ExitError, type FlagValues } from './spec.ts';
import { checkTls } from './tls-material.ts';

/** Where gantryd listens unless told otherwise. */
export const DEFAULT_HOST = 'unix:///run/gantry/gantry.sock';

/** Which context a command line means: `--host`, then `--context`, DOCKER_HOST, DOCKER_CONTEXT, config.json (docker/cli resolveContextName). */
export function contextName(flags: FlagValues, env: NodeJS.ProcessEnv, config: ConfigFile): string {
  const context = flags.text('context');
  if (context !== '' && flags.list('host').length > 0)
    throw new ExitError(1, 'conflicting options: cannot specify both --host and --context');
  if (context !== '') return context;
  if (flags.list('host').length > 0 || (env.DOCKER_HOST ?? '') !== '') return 'default';
  if ((env.DOCKER_CONTEXT ?? '') !== '') return env.DOCKER_CONTEXT!;
  return config.data.currentContext || 'default';
}

/** What can be done where nobody answers: by where the address came from. */
export function absenceAdvice(flags: FlagValues, env: NodeJS.ProcessEnv, config: ConfigFile): string | undefined {
  if (flags.list('host').length > 0) return undefined;
  const name = contextName(flags, env, config);
  if (name !== 'default')
    return `This is the address of the context ${JSON.stringify(name)}: see 'gantry context inspect', or take another with 'gantry context use'`;
  if ((env.DOCKER_HOST ?? '') !== '')
    return 'This address is from DOCKER_HOST: unset it to reach the daemon of this machine';
  return "Start it with gantryd as root; 'gantry system doctor' looks for what may be in its way";
}

/** The address and certificates for a command line. Throws Error with Docker's words if they make no sense. */
export function resolveConnection(flags: FlagValues, env: NodeJS.ProcessEnv, config: ConfigFile): ClientOptions {
  const name = contextName(flags, env, config);
  const headers = config.data.HttpHeaders;
  const common = {
    headers,
    userAgent: 'Gantry-Client/0.1.0 (linux)',
    ...(env.DOCKER_API_VERSION ? { version: env.DOCKER_API_VERSION.replace(/^v/, '') } : {}),
  };
  if (name !== 'default') {
    const store = new ContextStore(config.dir);
    const endpoint = store.get(name).Endpoints.docker;
    const files = store.tls(name);
    const skip = endpoint?.SkipTLSVerify ?? false;
    const tls: TlsMaterial | undefined =
      skip || Object.keys(files).length > 0
        ? { ca: files['ca.pem'], cert: files['cert.pem'], key: files['key.pem'], verify: !skip }
        : undefined;
    if (tls) checkTls(tls);
    return { host: endpoint?.Host || DEFAULT_HOST, tls, ...common };
  }
  const tls = tlsFromFlags(flags, env, config.dir);
  if (tls) checkTls(tls);
  return { host: defaultHost(flags, env), tls, ...common };
}

/** The address that `--host` or DOCKER_HOST gives; a bare `host:port` is TCP. */
export function defaultHost(flags: FlagValues, env: NodeJS.ProcessEnv): string {
  const hosts = flags.list('host');
  if (hosts.length > 1) throw new Error('Specify only one -H');
  const host = (hosts[0] ?? env.DOCKER_HOST ?? '').trim();
  if (host === '') return DEFAULT_HOST;
  if (host.includes('://')) return host;
  return `tcp://${host}`;
}

function tlsFromFlags(flags: FlagValues, env: NodeJS.ProcessEnv, configDir: string): TlsMaterial | undefined {
  const verify = flags.changed('tlsverify') ? flags.bool('tlsverify') : (env.DOCKER_TLS_VERIFY ?? '') !== '';
  const use = verify || flags.bool('tls') || (env.DOCKER_TLS ?? '') !== '' || flags.changed('tlsverify');
  if (!use) return undefined;
  const dir = env.DOCKER_CERT_PATH || configDir;
  const read = (flag: string, file: string): Buffer | undefined => {
    const path = flags.changed(flag) ? flags.text(flag) : join(dir, file);
    try {
      return readFileSync(path);
    } catch (error) {
      // A client's own certificate may be missing at its default place; one that was named may not, nor the authority's.
      const optional = flag !== 'tlscacert' && !flags.changed(flag);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && optional) return undefined;
      throw fileError(path, error);
    }
  };
  return { ca: read('tlscacert', 'ca.pem'), cert: read('tlscert', 'cert.pem'), key: read('tlskey', 'key.pem'), verify };
}
