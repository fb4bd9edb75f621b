import type { Readable, Writable } from 'node:stream';
import type { BuildService } from '../build/index.ts';
import type { Filters } from '../common/index.ts';
import type { ImageStore } from '../images/index.ts';
import type { VolumeStore } from '../volumes/index.ts';
import type {
  ConnectNetworkBody,
  ContainerConfig,
  CreateContainerBody,
  CreateNetworkBody,
  EventMessage,
  ExecConfig,
  NetworkInspect,
  UpdateContainerBody,
} from '../wire/index.ts';

/**
 * The use cases behind the API. Each service owns its state; none reaches into another's. `daemon/compose.ts` wires them.
 * Every `ref` is a name, id or unique prefix. Answers are the API's JSON, field for field.
 */
export interface Engine {
  containers: ContainerService;
  execs: ExecService;
  logs: LogService;
  archive: ArchiveService;
  networks: NetworksService;
  images: ImageStore;
  volumes: VolumeStore;
  events: EventBus;
  system: SystemService;
  build: BuildService;
}

/** A client's end of attach or exec: the API frames `output` unless `tty`. */
export interface AttachSession {
  tty: boolean;
  /** undefined when stdin was not asked for. Writing honours back-pressure; `end()` half-closes. */
  stdin?: Writable;
  /** Ends when the process ends or the session is detached (detach keys included). */
  output: AsyncIterable<{ stream: 1 | 2; data: Buffer }>;
  close(): void;
}

export interface AttachOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Replay the log first. */
  logs: boolean;
  stream: boolean;
  detachKeys?: string;
}

export interface CommitOptions {
  repo?: string;
  tag?: string;
  comment?: string;
  author?: string;
  pause: boolean;
  changes: string[];
  config?: ContainerConfig;
  signal: AbortSignal;
}

export interface ContainerService {
  create(
    body: CreateContainerBody,
    options: { name?: string; platform?: string },
  ): Promise<{ Id: string; Warnings: string[] }>;
  start(ref: string, options?: { detachKeys?: string; signal?: AbortSignal }): Promise<void>;
  /** timeoutS: seconds of grace; undefined: the container's own, else 10; -1: for ever. */
  stop(ref: string, options: { timeoutS?: number; stopSignal?: string }): Promise<void>;
  restart(ref: string, options: { timeoutS?: number; stopSignal?: string }): Promise<void>;
  kill(ref: string, options: { stopSignal?: string }): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  remove(ref: string, options: { force?: boolean; volumes?: boolean; link?: boolean }): Promise<void>;
  /** Answers once the wait is registered: the API sends headers then, and the body when `result` is there. */
  wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal: AbortSignal,
  ): Promise<{ result: Promise<{ StatusCode: number; Error?: { Message: string } }> }>;
  list(options: {
    all?: boolean;
    limit?: number;
    size?: boolean;
    filters: Filters;
  }): Promise<Record<string, unknown>[]>;
  inspect(ref: string, options: { size?: boolean }): Promise<Record<string, unknown>>;
  top(ref: string, psArgs: string): Promise<{ Titles: string[]; Processes: string[][] }>;
  resize(ref: string, size: { rows: number; columns: number }): Promise<void>;
  update(ref: string, body: UpdateContainerBody): Promise<{ Warnings: string[] }>;
  attach(ref: string, options: AttachOptions): Promise<AttachSession>;
  /** One sample (`stream: false` waits for two unless oneShot), or one a second. */
  stats(
    ref: string,
    options: { stream: boolean; oneShot: boolean; signal: AbortSignal },
  ): AsyncIterable<Record<string, unknown>>;
  changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[]>;
  prune(filters: Filters): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }>;
  commit(ref: string, options: CommitOptions): Promise<{ Id: string }>;
  export(ref: string, signal: AbortSignal): Promise<Readable>;
}

export interface ExecService {
  create(ref: string, config: ExecConfig): Promise<{ Id: string }>;
  /** Detached: resolves once started, with undefined. */
  start(
    id: string,
    options: { detach: boolean; consoleSize?: [rows: number, columns: number] },
  ): Promise<AttachSession | undefined>;
  resize(id: string, size: { rows: number; columns: number }): Promise<void>;
  inspect(id: string): Promise<Record<string, unknown>>;
}

export interface LogService {
  /** Frames of the log; `timestamps` and `details` are already in the data. Throws `configured logging driver does not support reading`. */
  read(
    ref: string,
    options: {
      follow: boolean;
      stdout: boolean;
      stderr: boolean;
      since?: bigint;
      until?: bigint;
      timestamps: boolean;
      tail: number | 'all';
      details: boolean;
      signal: AbortSignal;
    },
  ): Promise<{ tty: boolean; output: AsyncIterable<{ stream: 1 | 2; data: Buffer }> }>;
}

export interface PathStat {
  name: string;
  size: number;
  /** Go's os.FileMode bits. */
  mode: number;
  mtime: string;
  linkTarget: string;
}

/** `docker cp`. Paths are resolved inside the container's root, through its volumes, race-free. */
export interface ArchiveService {
  stat(ref: string, path: string): Promise<PathStat>;
  get(ref: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: Readable }>;
  put(
    ref: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; signal: AbortSignal },
  ): Promise<void>;
  /** A volume's content as a tar: owner, mode, xattrs, hard links and holes are kept. */
  exportVolume(name: string, signal: AbortSignal): Promise<Readable>;
  importVolume(name: string, tar: Readable, signal: AbortSignal): Promise<void>;
}

/** Networks as clients see them: with members, in-use checks and events. */
export interface NetworksService {
  create(body: CreateNetworkBody): Promise<{ Id: string; Warning: string }>;
  inspect(ref: string, options: { verbose?: boolean; scope?: string }): Promise<NetworkInspect>;
  list(filters: Filters): Promise<NetworkInspect[]>;
  remove(ref: string): Promise<void>;
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] }>;
  connect(ref: string, body: ConnectNetworkBody): Promise<void>;
  disconnect(ref: string, body: { Container?: string; Force?: boolean }): Promise<void>;
}

export interface EventBus {
  emit(event: { type: EventMessage['Type']; action: string; id: string; attributes: Record<string, string> }): void;
  /** Past events (the last 256 are kept) from `sinceNs`, then new ones until `untilNs` or abort. */
  stream(options: {
    sinceNs?: bigint;
    untilNs?: bigint;
    filters: Filters;
    signal: AbortSignal;
  }): AsyncIterable<EventMessage>;
}

export interface SystemService {
  info(): Promise<Record<string, unknown>>;
  version(): Promise<Record<string, unknown>>;
  diskUsage(types: ReadonlySet<'container' | 'image' | 'volume' | 'build-cache'>): Promise<Record<string, unknown>>;
}
