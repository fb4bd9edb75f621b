import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { openInstance } from '../../src/daemon/instance.ts';
import { busyboxTar } from './base-image.ts';
import { eventually, execute, type Outcome } from './command.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** True where the machine has Docker's own command line. */
export const hasDockerCli = (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, 'docker')));

export interface ApiAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  json: any;
}

/** A gantryd with roots of its own. `await using` ends it and fails if it leaked. */
export class TestDaemon {
  readonly root: string;
  readonly args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(root: string, args: readonly string[]) {
    this.root = root;
    this.args = args;
  }

  /** Starts one; `busybox: true` (the default) imports `busybox:latest` into it. */
  static async start(options: { args?: readonly string[]; busybox?: boolean } = {}): Promise<TestDaemon> {
    const root = await mkdtemp(join(tmpdir(), 'gt-'));
    const daemon = new TestDaemon(root, options.args ?? []);
    await daemon.launch();
    if (options.busybox ?? true) await daemon.importBusybox();
    return daemon;
  }

  get socket(): string {
    return `${this.root}/s`;
  }
  get host(): string {
    return `unix://${this.socket}`;
  }
  get dataRoot(): string {
    return `${this.root}/data`;
  }
  get execRoot(): string {
    return `${this.root}/run`;
  }
  get logFile(): string {
    return `${this.root}/log`;
  }
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Starts the process (again), with the same roots. */
  async launch(extra: readonly string[] = []): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const child = spawn(
      join(checkout, 'bin/gantryd'),
      [
        '-H',
        this.host,
        '--data-root',
        this.dataRoot,
        '--exec-root',
        this.execRoot,
        '--pidfile',
        `${this.root}/pid`,
        ...this.args,
        ...extra,
      ],
      { stdio: ['ignore', log, log] },
    );
    this.#child = child;
    await eventually('gantryd answers', async () => {
      if (child.exitCode !== null)
        throw new Error(`gantryd ended with ${child.exitCode}:\n${await readFile(this.logFile, 'utf8')}`);
      return this.api('GET', '/_ping').then(
        (answer) => answer.status === 200,
        () => false,
      );
    });
  }

  async importBusybox(): Promise<void> {
    const answer = await this.api(
      'POST',
      '/images/create?fromSrc=-&repo=busybox&tag=latest&changes=CMD%20%5B%22sh%22%5D',
      await busyboxTar(),
      {
        'content-type': 'application/x-tar',
      },
    );
    if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`import of busybox: ${answer.text}`);
  }

  /** SIGTERM, and waits for the end. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }
  /** SIGKILL, as a crash. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL');
  }
  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
    this.#child = undefined;
  }
  hangUp(): void {
    this.#child?.kill('SIGHUP');
  }

  docker(args: readonly string[], options: Parameters<typeof execute>[2] = {}): Promise<Outcome> {
    const env = {
      DOCKER_HOST: this.host,
      DOCKER_CONFIG: `${this.root}/config`,
      DOCKER_BUILDKIT: '0',
      // Docker's client leaves a repository that it fetched and could not use.
      TMPDIR: this.root,
      ...options.env,
    };
    return execute('docker', args, { ...options, env });
  }
  gantry(args: readonly string[], options: Parameters<typeof execute>[2] = {}): Promise<Outcome> {
    const env = {
      DOCKER_HOST: this.host,
      DOCKER_CONFIG: `${this.root}/config`,
      GANTRY_NO_AUTOSTART: '1',
      ...options.env,
    };
    return execute(join(checkout, 'bin/gantry'), args, { ...options, env });
  }
  /** Runs with `gantry`, expects success, returns trimmed stdout. */
  async ok(...args: string[]): Promise<string> {
    const outcome = await this.gantry(args);
    if (outcome.code !== 0)
      throw new Error(`gantry ${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
    return outcome.stdout.trim();
  }

  /** One API call; objects are sent as JSON. */
  api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return new Promise((done, fail) => {
      const raw = body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
      const call = request(
        {
          socketPath: this.socket,
          method,
          path: path.startsWith('/v') || path === '/_ping' ? path : `/v1.51${path}`,
          headers: {
            ...(raw === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(raw as string) }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', fail);
          answer.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const text = bytes.toString();
            let json: unknown;
            try {
              json = JSON.parse(text);
            } catch {
              json = undefined;
            }
            done({ status: answer.statusCode ?? 0, headers: answer.headers, bytes, text, json });
          });
        },
      );
      call.on('error', fail);
      call.end(raw);
    });
  }

  /** What of this daemon is still on the machine: mounts, processes, namespaces below its roots; tables, interfaces and cgroups of its name. */
  async leaks(): Promise<string[]> {
    const found: string[] = [];
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n'))
      if (line.includes(`${this.root}/`)) found.push(`mount ${line.split(' ')[4]}`);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (line.includes(`${this.root}/`) && Number(pid) !== this.pid)
          found.push(`process ${pid} ${line.slice(0, 120)}`);
      } catch {
        // it ended meanwhile
      }
    }
    const { suffix } = openInstance(this.dataRoot);
    for (const name of readdirSync('/sys/class/net')) if (name.includes(suffix)) found.push(`interface ${name}`);
    for (const dir of ['', ...readdirSync('/sys/fs/cgroup')])
      if (existsSync(`/sys/fs/cgroup/${dir}/gantry-${suffix}`)) found.push(`cgroup ${dir}/gantry-${suffix}`);
    const tables = await execute('nft', ['list', 'tables']);
    found.push(...tables.stdout.split('\n').filter((line) => line.includes(suffix)));
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const list = await this.api('GET', '/containers/json?all=1').catch(() => undefined);
      for (const { Id } of (list?.json as { Id: string }[] | undefined) ?? [])
        await this.api('DELETE', `/containers/${Id}?force=1&v=1`).catch(() => {});
    } finally {
      await this.terminate();
    }
    const left = await eventually(
      'nothing left',
      async () => ((await this.leaks()).length === 0 ? [] : undefined),
      15_000,
    ).catch(() => this.leaks());
    if (left.length > 0)
      throw new Error(
        `left behind by ${this.root}:\n${left.join('\n')}\n${readFileSync(this.logFile, 'utf8').slice(-4000)}`,
      );
    rmSync(this.root, { recursive: true, force: true });
  }
}
