import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, isErrno, isKind, notFound, nowNs } from '../common/index.ts';
import { alive } from '../sys/index.ts';
import { endProcessesOf } from './abandoned.ts';
import { CompiledFilters } from './compiled-filters.ts';
import { startConmon } from './conmon.ts';
import { createCommand } from './create-command.ts';
import { forgetEnded, isCrun, releaseInit } from './crun.ts';
import { startExec } from './exec.ts';
import { resizeBy } from './exec-conmon.ts';
import { createFailure } from './failure.ts';
import { runProgram } from './process-run.ts';
import { RuntimePrograms } from './programs.ts';
import { attachTo } from './streams.ts';
import type { CreateOptions, Exit, Monitor, RuntimeChoice } from './types.ts';

export interface MonitorOptions {
  execRoot: string;
  conmonPath: string;
  /** On a disk: here waits the output that an attached client has not yet taken. */
  spillDirectory: string;
}

/**
 * What the monitor must know of a container after a restart of the daemon; written beside config.json before anything runs, so that a
 * creation that a crash cut off can be undone.
 */
interface BundleRecord {
  runtime: RuntimeChoice;
  command: string;
}

/** With the init's pid, which conmon writes when the runtime has made the container; 0: not yet. */
interface Bundle extends BundleRecord {
  pid: number;
}

/**
 * conmon and an OCI runtime. Life of a bundle: `create` writes `bundles/<id>` and starts conmon, which runs the runtime's create and
 * answers with the pid; `start` releases the init; at its end conmon writes `exits/<id>`; `delete` removes all of it.
 */
export function openMonitor({ execRoot, conmonPath, spillDirectory }: MonitorOptions): Monitor & { close(): void } {
  const bundles = join(execRoot, 'b');
  const exits = join(execRoot, 'exits');
  mkdirSync(bundles, { recursive: true, mode: 0o711 });
  mkdirSync(exits, { recursive: true, mode: 0o700 });
  const bundle = (id: string) => join(bundles, id);
  const records = new Map<string, Bundle>();
  const waiters = new Map<string, Set<() => void>>();
  const programs = new RuntimePrograms();
  const filters = new CompiledFilters();

  const watcher: FSWatcher = watch(exits, (_event, name) => {
    for (const wake of waiters.get(String(name)) ?? []) wake();
  });
  watcher.unref();

  const stateRoot = (runtime: RuntimeChoice) => join(execRoot, 'rt', runtime.name);
  const runtimeArgs = (runtime: RuntimeChoice) => [...runtime.args, '--root', stateRoot(runtime)];

  async function record(id: string): Promise<Bundle> {
    const known = records.get(id);
    if (known !== undefined) return known;
    try {
      const [text, pidText] = await Promise.all([
        readFile(join(bundle(id), 'bundle.json'), 'utf8'),
        readFile(join(bundle(id), 'pid'), 'utf8').catch(() => ''),
      ]);
      const read = { ...(JSON.parse(text) as BundleRecord), pid: Number.parseInt(pidText, 10) || 0 };
      if (read.pid > 0) records.set(id, read);
      return read;
    } catch (error) {
      // A half written one: the daemon died before anything ran.
      if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) throw notFound(`no such bundle: ${id}`);
      throw error;
    }
  }

  async function runtime(id: string, ...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> {
    const { runtime: choice } = await record(id);
    return runProgram(programs.of(choice.path), [...runtimeArgs(choice), ...args], { captureStdout: true });
  }

  async function readExit(id: string): Promise<Exit | undefined> {
    try {
      const path = join(exits, id);
      const [text, info] = await Promise.all([readFile(path, 'utf8'), stat(path, { bigint: true })]);
      if (text === '') return undefined;
      const oomKilled = await stat(join(bundle(id), 'oom')).then(
        () => true,
        () => false,
      );
      return { code: Number.parseInt(text, 10) & 0xff, atNs: info.mtimeNs, oomKilled };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async function create(options: CreateOptions): Promise<{ pid: number }> {
    const dir = bundle(options.id);
    const command = String((options.spec.process as { args?: string[] }).args?.[0] ?? '');
    const bundleRecord: BundleRecord = { runtime: options.runtime, command };
    await mkdir(dir, { mode: 0o700 });
    const spec = isCrun(options.runtime) ? filters.apply(options.spec) : options.spec;
    await Promise.all([
      // Its variables may be secrets.
      writeFile(join(dir, 'config.json'), JSON.stringify(spec), { mode: 0o600 }),
      writeFile(join(dir, 'bundle.json'), JSON.stringify(bundleRecord)),
    ]);
    const root = stateRoot(options.runtime);
    const [program, ...words] = createCommand({ ...options.runtime, path: programs.of(options.runtime.path) });
    const args = [
      '--api-version',
      '1',
      '-c',
      options.id,
      '-u',
      options.id,
      '-n',
      options.name,
      '-r',
      program,
      '-b',
      dir,
      '-p',
      join(dir, 'pid'),
      '-P',
      join(dir, 'conmon.pid'),
      '--exit-dir',
      exits,
      '--full-attach',
      '--no-sync-log',
      '--log-level',
      'error',
      ...words.flatMap((word) => ['--runtime-arg', word]),
      '--runtime-arg',
      '--root',
      '--runtime-arg',
      root,
      ...(options.terminal ? ['-t'] : []),
      ...(options.stdin ? ['-i'] : []),
      ...(options.stdin && (options.terminal || !options.stdinOnce) ? ['--leave-stdin-open'] : []),
      ...(options.logPath === undefined ? ['-l', 'none'] : ['-l', `k8s-file:${options.logPath}`]),
    ];
    let conmon: ReturnType<typeof startConmon>;
    try {
      conmon = startConmon(conmonPath, args, dir);
    } catch (error) {
      await remove(options.id);
      throw error;
    }
    const answer = await conmon.next().finally(() => conmon.release());
    const { data, message } = answer ?? { data: -1, message: conmon.complaint() };
    if (data <= 0) {
      const runtimeLog = await readFile(join(dir, 'log.json'), 'utf8').catch(() => '');
      await runProgram(programs.of(options.runtime.path), [
        ...runtimeArgs(options.runtime),
        'delete',
        '--force',
        options.id,
      ]);
      await remove(options.id);
      throw createFailure(message ?? runtimeLog, command);
    }
    records.set(options.id, { ...bundleRecord, pid: data });
    if (isCrun(options.runtime)) await filters.learn(options.spec, join(root, options.id));
    return { pid: data };
  }

  async function remove(id: string): Promise<void> {
    records.delete(id);
    await Promise.all([rm(bundle(id), { recursive: true, force: true }), rm(join(exits, id), { force: true })]);
  }

  async function start(id: string): Promise<void> {
    const { runtime: choice } = await record(id);
    if (isCrun(choice) && releaseInit(join(stateRoot(choice), id))) return;
    const { code, stderr } = await runtime(id, 'start', id);
    if (code !== 0) throw createFailure(stderr, (await record(id)).command);
  }

  async function wait(id: string, signal?: AbortSignal): Promise<Exit> {
    for (;;) {
      signal?.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const set = waiters.get(id) ?? new Set();
      set.add(resolve);
      waiters.set(id, set);
      // A lost event must not hang a container: look again now and then, and see whether conmon itself was killed.
      const timer = setTimeout(resolve, 5000);
      signal?.addEventListener('abort', resolve as () => void, { once: true });
      try {
        const exit = await readExit(id);
        if (exit !== undefined) return exit;
        const conmon = Number(await readFile(join(bundle(id), 'conmon.pid'), 'utf8').catch(() => '0'));
        const { pid } = await record(id);
        if (!alive(pid) && (conmon === 0 || !alive(conmon))) {
          const late = await readExit(id);
          return late ?? { code: 137, atNs: nowNs(), oomKilled: false };
        }
        await promise;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', resolve as () => void);
        set.delete(resolve);
        if (set.size === 0) waiters.delete(id);
      }
    }
  }

  async function kill(id: string, signal: number, options: { all?: boolean } = {}): Promise<void> {
    const { pid } = await record(id);
    if ((await readExit(id)) !== undefined || !alive(pid)) throw conflict(`container ${id} is not running`);
    for (const target of options.all === true ? await pids(id) : [pid]) {
      try {
        process.kill(target, signal);
      } catch (error) {
        if (!isErrno(error, 'ESRCH')) throw error;
      }
    }
  }

  async function pids(id: string): Promise<number[]> {
    const { pid } = await record(id);
    const found = new Set<number>([pid]);
    const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    for (const line of cgroup.split('\n')) {
      const [, controllers = '', path = ''] = line.split(':');
      if (!path.includes(id)) continue;
      const hierarchy = controllers === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controllers.replace('name=', '')}`;
      for (const base of [hierarchy, '/sys/fs/cgroup/unified']) {
        const text = await readFile(`${base}${path}/cgroup.procs`, 'utf8').catch(() => '');
        for (const entry of text.split('\n')) if (entry !== '') found.add(Number(entry));
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  const run = async (id: string, ...args: string[]): Promise<void> => {
    const { code, stderr } = await runtime(id, ...args);
    if (code !== 0) throw conflict(stderr.trim());
  };

  return {
    create,
    start,
    wait,
    kill,
    pids,
    attach: (id) => attachTo(join(bundle(id), 'attach'), spillDirectory),
    resize: (id, { rows, columns }) => resizeBy(bundle(id), rows, columns),
    pause: (id) => run(id, 'pause', id),
    resume: (id) => run(id, 'resume', id),
    async delete(id) {
      try {
        const { pid, runtime: choice } = await record(id);
        if (pid === 0) await endProcessesOf(bundle(id), 0);
        const ended = (await readExit(id)) !== undefined && !alive(pid);
        if (!(ended && isCrun(choice) && (await forgetEnded(join(stateRoot(choice), id)))))
          await runtime(id, 'delete', '--force', id);
        if ((await readExit(id)) === undefined) await endProcessesOf(bundle(id));
      } catch (error) {
        if (!isKind(error, 'not-found')) throw error;
      }
      await remove(id);
    },
    async state(id) {
      try {
        const { pid } = await record(id);
        if ((await readExit(id)) !== undefined || !alive(pid)) return { status: 'stopped', pid: 0 };
        const { code, stdout } = await runtime(id, 'state', id);
        if (code !== 0) return { status: 'stopped', pid: 0 };
        return { status: (JSON.parse(stdout) as { status: 'created' | 'running' | 'paused' | 'stopped' }).status, pid };
      } catch (error) {
        if (isKind(error, 'not-found')) return undefined;
        throw error;
      }
    },
    async update(id, resources) {
      const path = join(bundle(id), 'update.json');
      await writeFile(path, JSON.stringify(resources));
      await run(id, 'update', '-r', path, id);
    },
    async exec(options) {
      const { runtime: choice } = await record(options.id);
      return startExec({
        ...options,
        bundle: bundle(options.id),
        conmonPath,
        spillDirectory,
        runtimePath: programs.of(choice.path),
        runtimeArgs: runtimeArgs(choice),
      });
    },
    list: () => readdir(bundles),
    close() {
      watcher.close();
      programs.close();
    },
  };
}
