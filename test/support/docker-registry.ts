import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian's package puts the program. */
const PROGRAM = '/usr/bin/docker-registry';
export const hasDockerRegistry = existsSync(PROGRAM);

/** Who may in when a registry asks for credentials. */
export const USER = { username: 'someone', password: 'secret' };
/** bcrypt of the password, as `htpasswd -B` writes it. */
const HTPASSWD = `${USER.username}:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n`;

const START_MS = 60_000;

export interface DockerRegistryOptions {
  /** `basic`: htpasswd; `token`: a token server, which `tokens` counts. */
  auth?: 'none' | 'basic' | 'token';
  tls?: boolean;
  /** A network namespace by path, in which it listens; default: this one. */
  netns?: string;
}

/** A docker-registry on loopback with storage of its own. `await using` ends it. */
export class DockerRegistry {
  readonly root: string;
  readonly host: string;
  /** The authority of its certificate, PEM; undefined without TLS. */
  readonly authority: string | undefined;
  readonly tokens: TokenServer | undefined;
  readonly #child: ChildProcess;

  private constructor(parts: Pick<DockerRegistry, 'root' | 'host' | 'authority' | 'tokens'>, child: ChildProcess) {
    this.root = parts.root;
    this.host = parts.host;
    this.authority = parts.authority;
    this.tokens = parts.tokens;
    this.#child = child;
  }

  static async start({ auth = 'none', tls = false, netns }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
    const root = mkdtempSync(join(tmpdir(), 'gt-registry-'));
    if (tls || auth === 'token') makeCertificate(root);
    const tokens = auth === 'token' ? await TokenServer.start(root) : undefined;
    const config = {
      version: 0.1,
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(root, 'storage') }, delete: { enabled: true } },
      http: {
        addr: '127.0.0.1:0',
        relativeurls: true,
        ...(tls ? { tls: { certificate: join(root, 'server.crt'), key: join(root, 'server.key') } } : {}),
      },
      ...authOf(auth, root, tokens),
    };
    // JSON is YAML too.
    writeFileSync(join(root, 'config.yml'), JSON.stringify(config));
    const command = [PROGRAM, 'serve', join(root, 'config.yml')];
    if (netns !== undefined) command.unshift('nsenter', `--net=${netns}`);
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    const host = await listening(child);
    const authority = tls ? readFileSync(join(root, 'ca.crt'), 'utf8') : undefined;
    return new DockerRegistry({ root, host, authority, tokens }, child);
  }

  get url(): string {
    return `${this.authority === undefined ? 'http' : 'https'}://${this.host}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await ended;
    await this.tokens?.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

function authOf(auth: DockerRegistryOptions['auth'], root: string, tokens: TokenServer | undefined): object {
  if (tokens !== undefined) {
    const { realm } = tokens;
    return { auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: join(root, 'ca.crt') } } };
  }
  if (auth !== 'basic') return {};
  writeFileSync(join(root, 'htpasswd'), HTPASSWD);
  return { auth: { htpasswd: { realm: 'tests', path: join(root, 'htpasswd') } } };
}

/** The address, which the registry says when it has one. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = () => reject(new Error(`docker-registry does not start:\n${said}`));
    const timer = setTimeout(fail, START_MS);
    child.once('exit', fail);
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      child.off('exit', fail);
      resolve(address);
    });
  });
}

/** `ca.crt` and, signed by it, `server.crt` with `server.key` for 127.0.0.1. */
function makeCertificate(dir: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  openssl('req', '-x509', ...key, '-subj', '/CN=Authority of the tests', '-keyout', 'ca.key', '-out', 'ca.crt');
  const name = [
    '-subj',
    '/CN=127.0.0.1',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  openssl(
    'req',
    '-x509',
    ...key,
    ...name,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-keyout',
    'server.key',
    '-out',
    'server.crt',
  );
}

const SERVICE = 'registry-of-tests';
const ISSUER = 'token-server-of-tests';
const LIFE_SECONDS = 300;

/** A token server by distribution's docs/spec/auth: anonymous users may pull, the user may do everything. */
export class TokenServer {
  /** The scopes of each token that was given. */
  readonly given: string[][] = [];
  readonly #dir: string;
  readonly #server: Server;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#server = createServer((request, response) => {
      const { authorization } = request.headers;
      const expected = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
      if (authorization !== undefined && authorization !== expected) {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }));
        return;
      }
      const { searchParams } = new URL(request.url ?? '/', 'http://tokens');
      const scopes = searchParams.getAll('scope').flatMap((text) => text.split(' '));
      this.given.push(scopes);
      const token = this.#token(scopes, authorization !== undefined);
      const identity = searchParams.get('offline_token') === 'true' ? { refresh_token: 'identity-of-tests' } : {};
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ token, expires_in: LIFE_SECONDS, ...identity }));
    });
  }

  static async start(dir: string): Promise<TokenServer> {
    const tokens = new TokenServer(dir);
    await new Promise<void>((resolve) => tokens.#server.listen(0, '127.0.0.1', resolve));
    return tokens;
  }

  get realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  /** A JWT, signed by the certificate that the registry trusts. */
  #token(scopes: readonly string[], known: boolean): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(/:(?=[^:]*$)|(?<=^[a-z]+):/);
      return { type, name, actions: actions.split(',').filter((action) => known || action === 'pull') };
    });
    const der = readFileSync(join(this.#dir, 'server.crt'), 'utf8').replace(/-----[^-]+-----|\s/g, '');
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ typ: 'JWT', alg: 'ES256', x5c: [der] })}.${part({ iss: ISSUER, sub: known ? USER.username : '', aud: SERVICE, exp: now + LIFE_SECONDS, nbf: now - 60, iat: now, jti: randomUUID(), access })}`;
    const key = createPrivateKey(readFileSync(join(this.#dir, 'server.key')));
    return `${body}.${sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
