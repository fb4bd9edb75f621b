import type { Readable } from 'node:stream';
import { messageOf } from '../common/index.ts';
import type { CreateContainerBody, ExecConfig, UpdateContainerBody } from '../wire/index.ts';
import type {
  Change,
  ContainerInspect,
  ContainerSummary,
  Created,
  ExecInspect,
  PathStat,
  PruneAnswer,
  StatsAnswer,
  TopAnswer,
  WaitAnswer,
} from './answers.ts';
import { jsonLines } from './streams.ts';
import { apiTimestamp } from './timestamps.ts';
import type { Transport } from './transport.ts';
import type { Answer, Hijacked } from './types.ts';

export type FilterMap = Record<string, readonly string[]>;
/** Filters as the query has them, or undefined for none. */
export const encodeFilters = (filters: FilterMap | undefined): string | undefined =>
  filters && Object.keys(filters).length > 0
    ? JSON.stringify(
        Object.fromEntries(
          Object.entries(filters).map(([key, values]) => [
            key,
            Object.fromEntries(values.map((value) => [value, true])),
          ]),
        ),
      )
    : undefined;

export interface LogOptions {
  stdout: boolean;
  stderr: boolean;
  follow?: boolean;
  timestamps?: boolean;
  details?: boolean;
  since?: string;
  until?: string;
  tail?: string;
}
export interface AttachOptions {
  stream?: boolean;
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  logs?: boolean;
  detachKeys?: string;
}

const at = (id: string, action = ''): string => `/containers/${encodeURIComponent(id)}${action}`;

/** Containers and the processes executed in them. */
/** Docker names the option for logs, though not for events. */
function logTime(name: string, text: string | undefined): string | undefined {
  try {
    return apiTimestamp(text);
  } catch (error) {
    throw new Error(`invalid value for ${JSON.stringify(name)}: ${messageOf(error)}`, { cause: error });
  }
}

export class ContainersApi {
  private readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(
    options: { all?: boolean; limit?: number; size?: boolean; filters?: FilterMap; signal?: AbortSignal } = {},
  ): Promise<ContainerSummary[]> {
    const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
    const query = { all: options.all, limit, size: options.size, filters: encodeFilters(options.filters) };
    return this.transport.json('GET', '/containers/json', { query, signal: options.signal });
  }
  create(
    body: CreateContainerBody,
    options: { name?: string; platform?: string; signal?: AbortSignal } = {},
  ): Promise<Created> {
    const query = { name: options.name, platform: options.platform };
    return this.transport.json('POST', '/containers/create', { query, body, signal: options.signal });
  }
  inspect(id: string, options: { size?: boolean; signal?: AbortSignal } = {}): Promise<ContainerInspect> {
    return this.transport.json('GET', at(id, '/json'), { query: { size: options.size }, signal: options.signal });
  }
  start(
    id: string,
    options: { detachKeys?: string; checkpoint?: string; checkpointDir?: string } = {},
  ): Promise<number> {
    const query = {
      detachKeys: options.detachKeys,
      checkpoint: options.checkpoint,
      'checkpoint-dir': options.checkpointDir,
    };
    return this.transport.done('POST', at(id, '/start'), { query });
  }
  stop(id: string, options: { timeoutS?: number; signal?: string } = {}): Promise<number> {
    return this.transport.done('POST', at(id, '/stop'), { query: { t: options.timeoutS, signal: options.signal } });
  }
  restart(id: string, options: { timeoutS?: number; signal?: string } = {}): Promise<number> {
    return this.transport.done('POST', at(id, '/restart'), { query: { t: options.timeoutS, signal: options.signal } });
  }
  kill(id: string, signal?: string): Promise<number> {
    return this.transport.done('POST', at(id, '/kill'), { query: { signal } });
  }
  pause(id: string): Promise<number> {
    return this.transport.done('POST', at(id, '/pause'));
  }
  unpause(id: string): Promise<number> {
    return this.transport.done('POST', at(id, '/unpause'));
  }
  rename(id: string, name: string): Promise<number> {
    return this.transport.done('POST', at(id, '/rename'), { query: { name } });
  }
  update(id: string, body: UpdateContainerBody): Promise<{ Warnings: string[] | null }> {
    return this.transport.json('POST', at(id, '/update'), { body });
  }
  remove(id: string, options: { force?: boolean; volumes?: boolean; link?: boolean } = {}): Promise<number> {
    return this.transport.done('DELETE', at(id), {
      query: { force: options.force, v: options.volumes, link: options.link },
    });
  }
  /** Opens the wait at once; the result comes when the condition is met. The first promise resolves once the daemon is waiting. */
  async wait(
    id: string,
    condition?: 'not-running' | 'next-exit' | 'removed',
    signal?: AbortSignal,
  ): Promise<{ result: Promise<WaitAnswer> }> {
    const answer = await this.transport.request('POST', at(id, '/wait'), { query: { condition }, signal });
    const read = async (): Promise<WaitAnswer> => {
      for await (const value of jsonLines<WaitAnswer>(answer.body)) return value;
      throw new Error('the daemon closed the connection before the container ended');
    };
    return { result: read() };
  }
  logs(id: string, options: LogOptions, signal?: AbortSignal): Promise<Answer> {
    return this.transport.request('GET', at(id, '/logs'), {
      query: { ...options, since: logTime('since', options.since), until: logTime('until', options.until) },
      signal,
    });
  }
  attach(id: string, options: AttachOptions): Promise<Hijacked> {
    return this.transport.hijack('POST', at(id, '/attach'), { query: { ...options } });
  }
  resize(id: string, height: number, width: number): Promise<number> {
    return this.transport.done('POST', at(id, '/resize'), { query: { h: height, w: width } });
  }
  top(id: string, psArgs: string): Promise<TopAnswer> {
    return this.transport.json('GET', at(id, '/top'), { query: { ps_args: psArgs } });
  }
  changes(id: string): Promise<Change[] | null> {
    return this.transport.json('GET', at(id, '/changes'));
  }
  async *stats(id: string, options: { stream: boolean; signal?: AbortSignal }): AsyncGenerator<StatsAnswer> {
    const answer = await this.transport.request('GET', at(id, '/stats'), {
      query: { stream: options.stream ? '1' : '0' },
      signal: options.signal,
    });
    yield* jsonLines<StatsAnswer>(answer.body);
  }
  export(id: string, signal?: AbortSignal): Promise<Answer> {
    return this.transport.request('GET', at(id, '/export'), { signal });
  }
  async archiveInfo(id: string, path: string): Promise<PathStat> {
    const answer = await this.transport.request('HEAD', at(id, '/archive'), { query: { path } });
    answer.body.resume();
    return pathStat(answer);
  }
  async getArchive(id: string, path: string, signal?: AbortSignal): Promise<{ stat: PathStat; body: Readable }> {
    const answer = await this.transport.request('GET', at(id, '/archive'), { query: { path }, signal });
    return { stat: pathStat(answer), body: answer.body };
  }
  putArchive(
    id: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir?: boolean; copyUidGid?: boolean; signal?: AbortSignal } = {},
  ): Promise<number> {
    const query = {
      path,
      noOverwriteDirNonDir: options.noOverwriteDirNonDir ? 'true' : undefined,
      copyUIDGID: options.copyUidGid ? 'true' : undefined,
    };
    return this.transport.done('PUT', at(id, '/archive'), {
      query,
      stream: tar,
      contentType: 'application/x-tar',
      signal: options.signal,
    });
  }
  prune(filters?: FilterMap): Promise<PruneAnswer> {
    return this.transport.json('POST', '/containers/prune', { query: { filters: encodeFilters(filters) } });
  }
  checkpoints(id: string, dir?: string): Promise<{ Name: string }[] | null> {
    return this.transport.json('GET', at(id, '/checkpoints'), { query: { dir } });
  }
  createCheckpoint(id: string, body: { CheckpointID: string; CheckpointDir?: string; Exit: boolean }): Promise<number> {
    return this.transport.done('POST', at(id, '/checkpoints'), { body });
  }
  removeCheckpoint(id: string, name: string, dir?: string): Promise<number> {
    return this.transport.done('DELETE', at(id, `/checkpoints/${encodeURIComponent(name)}`), { query: { dir } });
  }

  createExec(id: string, body: ExecConfig): Promise<{ Id: string }> {
    return this.transport.json('POST', at(id, '/exec'), { body });
  }
  /** Starts an exec and joins its streams. `consoleSize` is [height, width]. */
  attachExec(execId: string, options: { tty: boolean; consoleSize?: [number, number] }): Promise<Hijacked> {
    return this.transport.hijack('POST', `/exec/${execId}/start`, {
      body: { Detach: false, Tty: options.tty, ConsoleSize: options.consoleSize },
    });
  }
  startExec(execId: string, options: { tty: boolean }): Promise<number> {
    return this.transport.done('POST', `/exec/${execId}/start`, { body: { Detach: true, Tty: options.tty } });
  }
  inspectExec(execId: string): Promise<ExecInspect> {
    return this.transport.json('GET', `/exec/${execId}/json`);
  }
  resizeExec(execId: string, height: number, width: number): Promise<number> {
    return this.transport.done('POST', `/exec/${execId}/resize`, { query: { h: height, w: width } });
  }
}

function pathStat(answer: Answer): PathStat {
  const header = answer.headers['x-docker-container-path-stat'];
  if (typeof header !== 'string') throw new Error('unable to get resource stat from response: the header is missing');
  return JSON.parse(Buffer.from(header, 'base64').toString()) as PathStat;
}
