import { conflict, invalid, newId, notFound } from '../common/index.ts';
import {
  ALL_CAPABILITIES,
  type ExecHandle,
  type Monitor,
  resolveUser,
  StartFailure,
  type Streams,
  tweakCapabilities,
} from '../runtime/index.ts';
import type { ExecConfig, HostConfig } from '../wire/index.ts';
import { session } from './containers/attachments.ts';
import type { Container, ContainerBook } from './containers/book.ts';
import { parseDetachKeys } from './containers/detach-keys.ts';
import { rlimitsOf } from './containers/devices.ts';
import { environmentOf } from './containers/environment.ts';
import type { ContainerRecord } from './containers/record.ts';
import { accountsOf } from './containers/root-path.ts';
import type { AttachSession, ExecService } from './types.ts';

export interface ExecParts {
  book: ContainerBook;
  monitor: Monitor;
  availableCapabilities: readonly string[];
  /** The daemon's own, for containers that say nothing of theirs. */
  ulimits: HostConfig['Ulimits'];
  linkEnvironment: (record: ContainerRecord) => string[];
  emit: (container: Container, action: string, attributes: Record<string, string>) => void;
}

interface Exec {
  id: string;
  containerId: string;
  config: ExecConfig;
  /** Once it was started. */
  begun: Promise<ExecHandle> | undefined;
  handle: ExecHandle | undefined;
  started: boolean;
  running: boolean;
  exitCode: number | null;
}

/** Ended execs that are still told of; Docker forgets them with their container, and old ones by time. */
const KEPT_ENDED = 256;

export class Execs implements ExecService {
  readonly #parts: ExecParts;
  readonly #execs = new Map<string, Exec>();
  constructor(parts: ExecParts) {
    this.#parts = parts;
  }

  idsOf(containerId: string): string[] {
    return [...this.#execs.values()]
      .filter((exec) => exec.containerId === containerId && (exec.running || !exec.started))
      .map(({ id }) => id);
  }

  forget(containerId: string): void {
    for (const exec of this.#execs.values()) if (exec.containerId === containerId) this.#execs.delete(exec.id);
  }

  async create(ref: string, config: ExecConfig): Promise<{ Id: string }> {
    const container = this.#runningContainer(ref);
    if (config.Cmd === undefined || config.Cmd.length === 0) throw invalid('No exec command specified');
    if (config.DetachKeys) parseDetachKeys(config.DetachKeys, 'escape');
    // An unknown user is an error of create, as in Docker.
    if (config.User) await this.#process(config, container, undefined);
    const id = newId();
    this.#execs.set(id, {
      id,
      containerId: container.id,
      config,
      begun: undefined,
      handle: undefined,
      started: false,
      running: false,
      exitCode: null,
    });
    this.#dropOld();
    this.#parts.emit(container, `exec_create: ${commandText(config.Cmd)}`, { execID: id });
    return { Id: id };
  }

  #dropOld(): void {
    const ended = [...this.#execs.values()].filter((exec) => exec.started && !exec.running);
    for (const exec of ended.slice(0, Math.max(0, ended.length - KEPT_ENDED))) this.#execs.delete(exec.id);
  }

  #runningContainer(ref: string): Container {
    const container = this.#parts.book.get(ref);
    if (container.state.status === 'paused')
      throw conflict(`Container ${ref} is paused, unpause the container before exec`);
    if (container.state.status === 'restarting')
      throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    return container;
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec === undefined) throw notFound(`No such exec instance: ${id}`);
    return exec;
  }

  async start(
    id: string,
    options: { detach: boolean; consoleSize?: [number, number] },
  ): Promise<AttachSession | undefined> {
    const exec = this.#get(id);
    const container = this.#runningContainer(exec.containerId);
    if (exec.started)
      throw conflict(exec.running ? `exec command ${id} is already running` : `exec command ${id} has already run`);
    const begun = this.#begin(exec, container, options);
    exec.begun = begun;
    if (options.detach) {
      void drain(await begun);
      return undefined;
    }
    // The client is told that its connection stands before the process writes to it.
    begun.catch(() => {});
    const left = Promise.withResolvers<void>();
    const streams = begun.then(
      (handle): Streams => ({
        stdin: handle.stdin,
        output: endWith(handle, left.promise),
        closeStdin: () => handle.closeStdin(),
        detach: () => {
          left.resolve();
          handle.detach();
        },
      }),
    );
    return session(streams, {
      tty: exec.config.Tty === true,
      stdin: exec.config.AttachStdin === true,
      stdout: exec.config.AttachStdout === true,
      stderr: exec.config.AttachStderr === true,
      detachKeys: exec.config.DetachKeys,
      onDetach: () => this.#parts.emit(container, 'exec_detach', { execID: id }),
    });
  }

  async #begin(
    exec: Exec,
    container: Container,
    options: { detach: boolean; consoleSize?: [number, number] },
  ): Promise<ExecHandle> {
    const { id } = exec;
    exec.started = true;
    exec.running = true;
    try {
      if (exec.config.WorkingDir && !exec.config.WorkingDir.startsWith('/'))
        throw new StartFailure('OCI runtime exec failed: exec failed: Cwd must be an absolute path', 128);
      const process = await this.#process(exec.config, container, options.consoleSize ?? sizeOf(exec.config));
      this.#parts.emit(container, `exec_start: ${commandText(exec.config.Cmd ?? [])}`, { execID: id });
      const handle = await this.#parts.monitor.exec({
        id: container.id,
        execId: id,
        process,
        terminal: exec.config.Tty === true,
        stdin: !options.detach && exec.config.AttachStdin === true,
        detach: options.detach,
      });
      exec.handle = handle;
      void handle.exit.then((code) => {
        exec.running = false;
        exec.exitCode = code;
        this.#parts.emit(container, 'exec_die', { execID: id, exitCode: String(code) });
      });
      return handle;
    } catch (error) {
      exec.running = false;
      exec.exitCode = error instanceof StartFailure ? error.exitCode : 126;
      throw error;
    }
  }

  async #process(
    config: ExecConfig,
    container: Container,
    size: [number, number] | undefined,
  ): Promise<Record<string, unknown>> {
    const { record } = container;
    const root = `/proc/${container.state.pid}/root`;
    const { passwd, group } = accountsOf(root);
    const { home, ...user } = resolveUser(
      config.User || record.config.User || '',
      record.host.GroupAdd ?? [],
      passwd,
      group,
    );
    const capabilities = tweakCapabilities(
      record.host.CapAdd ?? [],
      record.host.CapDrop ?? [],
      config.Privileged === true || record.host.Privileged === true,
      this.#parts.availableCapabilities.length > 0 ? this.#parts.availableCapabilities : ALL_CAPABILITIES,
    );
    const env = environmentOf({
      hostname: record.config.Hostname ?? '',
      tty: config.Tty === true,
      links: this.#parts.linkEnvironment(record),
      given: [...(record.config.Env ?? []), ...(config.Env ?? [])],
      home,
    });
    const held = user.uid === 0 ? capabilities : [];
    return {
      terminal: config.Tty === true,
      ...(size === undefined ? {} : { consoleSize: { height: size[0], width: size[1] } }),
      user,
      args: config.Cmd,
      env,
      cwd: config.WorkingDir || record.config.WorkingDir || '/',
      capabilities: { bounding: capabilities, effective: held, permitted: held },
      // As the container's own process has them.
      rlimits: rlimitsOf(record.host.Ulimits ?? this.#parts.ulimits),
      oomScoreAdj: record.host.OomScoreAdj ?? 0,
      noNewPrivileges: (record.host.SecurityOpt ?? []).some(
        (option) => option.startsWith('no-new-privileges') && !option.endsWith('false'),
      ),
    };
  }

  async resize(id: string, size: { rows: number; columns: number }): Promise<void> {
    const exec = this.#get(id);
    // A client resizes as soon as its start is answered, which is before there is a process (moby ContainerExecResize waits too).
    const handle = await exec.begun?.catch(() => undefined);
    if (!exec.running || handle === undefined) throw conflict(`exec process is not running: ${id}`);
    await handle.resize(size);
  }

  async inspect(id: string): Promise<Record<string, unknown>> {
    const exec = this.#get(id);
    const { config } = exec;
    const [entrypoint = '', ...args] = config.Cmd ?? [];
    return {
      ID: exec.id,
      Running: exec.running,
      ExitCode: exec.exitCode,
      ProcessConfig: {
        tty: config.Tty ?? false,
        entrypoint,
        arguments: args,
        privileged: config.Privileged ?? false,
        ...(config.User ? { user: config.User } : {}),
      },
      OpenStdin: config.AttachStdin ?? false,
      OpenStderr: config.AttachStderr ?? false,
      OpenStdout: config.AttachStdout ?? false,
      CanRemove: false,
      ContainerID: exec.containerId,
      DetachKeys: config.DetachKeys ? config.DetachKeys : '',
      Pid: exec.handle?.pid ?? 0,
    };
  }
}

/** moby joins the program and its arguments with a blank, also where there are none. */
const commandText = ([program = '', ...args]: readonly string[]): string => `${program} ${args.join(' ')}`;

async function drain(handle: ExecHandle): Promise<void> {
  for await (const _ of handle.output);
}

/** The stream ends only when the exit code is known, and noted: clients inspect right after it. One who detaches does not wait for it. */
async function* endWith(
  { output, exit }: ExecHandle,
  left: Promise<void>,
): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
  yield* output;
  await Promise.race([left, exit]);
}

/** As the exec was made with; the start can tell another. */
const sizeOf = ({ ConsoleSize: [rows, columns] = [] }: ExecConfig): [number, number] | undefined =>
  rows === undefined || columns === undefined ? undefined : [rows, columns];
