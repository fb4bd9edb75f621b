import type { Writable } from 'node:stream';
import type { Limit } from './kernel-limits.ts';

/**
 * The OCI runtime and its monitor. A *bundle* is a directory at `<exec-root>/bundles/<id>` with config.json, conmon's pid file and
 * sockets; the runtime and conmon are found again by it after the daemon died. Nothing here knows Docker's API but the
 * spec maker.
 */
export interface ProcessSpec {
  args: string[];
  env: string[];
  cwd: string;
  terminal: boolean;
  /** Resolved: numeric. */
  user: { uid: number; gid: number; additionalGids: number[] };
}

/** OCI runtime-spec config.json; opaque outside the spec maker. */
export type OciSpec = Record<string, unknown>;

export interface RuntimeChoice {
  /** As in `--runtime`: `runc`, `crun`, or a name of daemon.json. */
  name: string;
  path: string;
  args: string[];
  /** Words before the program where it makes a container; see `hidingUnified`. */
  createPrefix?: string[];
}

export interface Exit {
  /** 0–255; 128+n for a signal. */
  code: number;
  /** Nanoseconds since the epoch. */
  atNs: bigint;
  oomKilled: boolean;
}

/** One client's connection to a container's or exec's streams. */
export interface Streams {
  stdin: Writable;
  /** Frames in the order the monitor gave them. Stream 1 is stdout (and all of a terminal), 2 stderr. Ends with the process. */
  output: AsyncIterable<{ stream: 1 | 2; data: Buffer }>;
  /** Half-close: the process reads end of file. */
  closeStdin(): void;
  detach(): void;
}

export interface CreateOptions {
  id: string;
  name: string;
  spec: OciSpec;
  runtime: RuntimeChoice;
  terminal: boolean;
  /** stdin stays open until closed, else it is /dev/null. */
  stdin: boolean;
  /** conmon closes the container's stdin when the first attached client half-closes. */
  stdinOnce: boolean;
  /** Where conmon writes the k8s-file (CRI) log; undefined writes none. */
  logPath?: string;
}

export interface Monitor {
  /** Writes the bundle, starts conmon and `create`; resolves with the init's pid when the runtime has made the container. Throws with the runtime's own words; see `startFailure`. */
  create(options: CreateOptions): Promise<{ pid: number }>;
  start(id: string): Promise<void>;
  /** Must be called before `start` to miss nothing; may be called any number of times, also after a daemon restart. */
  attach(id: string): Promise<Streams>;
  resize(id: string, size: { rows: number; columns: number }): Promise<void>;
  /** Signal by number to init, or to all of the container's processes. not-found if it is gone. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Resolves when the container has ended (at once if it had), across daemon restarts. Rejects on abort only. */
  wait(id: string, signal?: AbortSignal): Promise<Exit>;
  /** `delete --force` and removal of the bundle. Idempotent. */
  delete(id: string): Promise<void>;
  state(id: string): Promise<{ status: 'created' | 'running' | 'paused' | 'stopped'; pid: number } | undefined>;
  pids(id: string): Promise<number[]>;
  /** Applies OCI linux.resources to a running container. */
  update(id: string, resources: Record<string, unknown>): Promise<void>;
  exec(options: {
    id: string;
    execId: string;
    process: Record<string, unknown>;
    terminal: boolean;
    stdin: boolean;
    detach: boolean;
  }): Promise<ExecHandle>;
  /** Bundles on disk, for reconcile. */
  list(): Promise<string[]>;
}

export interface ExecHandle {
  /** Host pid. */
  pid: number;
  stdin: Writable;
  /** Frames; ends with the process. Empty when detached. */
  output: AsyncIterable<{ stream: 1 | 2; data: Buffer }>;
  closeStdin(): void;
  /** The client leaves: `output` and the input end, the process goes on. */
  detach(): void;
  resize(size: { rows: number; columns: number }): Promise<void>;
  exit: Promise<number>;
}

/** Cgroup readings in Docker's stats form are made by the engine from this; v1, v2 and hybrid give the same shape. Bytes and nanoseconds. */
export interface CgroupStats {
  cpu: {
    totalNs: number;
    userNs: number;
    systemNs: number;
    perCpuNs?: number[];
    periods: number;
    throttledPeriods: number;
    throttledNs: number;
  };
  memory: { usage: number; maxUsage?: number; limit: number; failcnt?: number; stats: Record<string, number> };
  pids: { current: number; limit?: number };
  blkio: Record<string, { major: number; minor: number; op: string; value: number }[]>;
}

export interface Cgroups {
  readonly version: 1 | 2;
  readonly hybrid: boolean;
  readonly controllers: ReadonlySet<string>;
  /** What this kernel can limit. */
  readonly limits: ReadonlySet<Limit>;
  /** The OCI `cgroupsPath` for a container. */
  pathFor(id: string, parent: string | undefined): string;
  stats(cgroupsPath: string): Promise<CgroupStats>;
  oomKills(cgroupsPath: string): Promise<number>;
  /** With all below it, as far as no process is in them. */
  remove(cgroupsPath: string): Promise<void>;
  /** Only if nothing is in it: no process and no cgroup, not even an empty one of somebody's. */
  removeEmpty(cgroupsPath: string): Promise<void>;
}
