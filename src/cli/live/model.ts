import { PassThrough } from 'node:stream';
import { type Client, type ContainerSummary, demultiplex, type StatsAnswer } from '../../client/index.ts';
import { type Usage, usageOf } from '../stats.ts';

/** How many log lines are kept of the selected container. */
const LOG_LINES = 200;

export interface LiveRow {
  container: ContainerSummary;
  usage?: Usage;
}
export interface Snapshot {
  rows: LiveRow[];
  logs: string[];
  /** What the last key did, or what went wrong. */
  message: string;
}

/** The daemon as the live view sees it: containers by events, a stats stream for each running one, the log of the chosen one. */
export class LiveModel {
  private readonly client: Client;
  private readonly changed: () => void;
  private readonly life = new AbortController();
  private readonly streams = new Map<string, AbortController>();
  private readonly usages = new Map<string, Usage>();
  private containers: ContainerSummary[] = [];
  private logsOf: { id: string; abort: AbortController } | undefined;
  private logs: string[] = [];
  private message = '';

  constructor(client: Client, changed: () => void) {
    this.client = client;
    this.changed = changed;
  }

  async start(): Promise<void> {
    await this.refresh();
    this.watch().catch((error: Error) => this.say(error.message));
  }
  stop(): void {
    this.life.abort();
    for (const stream of this.streams.values()) stream.abort();
    this.logsOf?.abort.abort();
  }
  snapshot(): Snapshot {
    return {
      rows: this.containers.map((container) => ({ container, usage: this.usages.get(container.Id) })),
      logs: this.logs,
      message: this.message,
    };
  }
  say(message: string): void {
    this.message = message;
    this.changed();
  }

  /** Runs an action and says how it went. */
  async act(what: string, action: () => Promise<unknown>): Promise<void> {
    this.say(`${what} …`);
    try {
      await action();
      this.say(`${what}: done`);
    } catch (error) {
      this.say(`${what}: ${(error as Error).message}`);
    }
  }

  /** Follows the log of this container; nothing for none. */
  showLogs(id: string | undefined): void {
    if (this.logsOf?.id === id) return;
    this.logsOf?.abort.abort();
    this.logsOf = undefined;
    this.logs = [];
    if (id === undefined) return;
    const abort = new AbortController();
    this.logsOf = { id, abort };
    this.followLogs(id, abort.signal).catch(() => {});
  }

  private async followLogs(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.client.containers.logs(
      id,
      { stdout: true, stderr: true, follow: true, tail: '50' },
      signal,
    );
    const lines = new PassThrough();
    let rest = '';
    lines.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      // Escape sequences of the container must not move this screen's cursor.
      const clean = parts.map((line) => line.replace(/\x1b\[[\d;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g, ''));
      this.logs = [...this.logs, ...clean].slice(-LOG_LINES);
      this.changed();
    });
    if (answer.headers['content-type'] === 'application/vnd.docker.raw-stream') answer.body.pipe(lines);
    else await demultiplex(answer.body, lines, lines);
  }

  private async watch(): Promise<void> {
    for await (const event of this.client.system.events({ filters: { type: ['container'] }, signal: this.life.signal }))
      if (!event.Action.startsWith('exec_')) await this.refresh();
  }

  private async refresh(): Promise<void> {
    this.containers = await this.client.containers.list({ all: true });
    const running = new Set(
      this.containers.filter((item) => item.State === 'running' || item.State === 'paused').map((item) => item.Id),
    );
    for (const [id, stream] of this.streams)
      if (!running.has(id)) {
        stream.abort();
        this.streams.delete(id);
        this.usages.delete(id);
      }
    for (const id of running) if (!this.streams.has(id)) this.sample(id);
    this.changed();
  }
  private sample(id: string): void {
    const abort = new AbortController();
    this.streams.set(id, abort);
    const read = async (): Promise<void> => {
      for await (const sample of this.client.containers.stats(id, { stream: true, signal: abort.signal }))
        this.take(id, sample);
    };
    read().catch(() => {});
  }
  private take(id: string, sample: StatsAnswer): void {
    this.usages.set(id, usageOf(sample));
    this.changed();
  }
}
