import { PassThrough } from 'node:stream';
import { type Client, type ContainerSummary, demultiplex, type StatsAnswer } from '../../client/index.ts';
import { LineSplitter } from '../lines.ts';
import { type Usage, usageOf } from '../stats.ts';

/** How many log lines are kept of the selected container. */
const LOG_LINES = 200;
const ENDED = 'the daemon has ended; waiting for it';
/** Between two tries to reach a daemon that is away. */
const RETRY_MS = 1000;

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
    void this.watch();
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

  private reloadLogs(): void {
    const id = this.logsOf?.id;
    this.showLogs(undefined);
    this.showLogs(id);
  }

  private async followLogs(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.client.containers.logs(
      id,
      { stdout: true, stderr: true, follow: true, tail: '50' },
      signal,
    );
    const lines = new PassThrough();
    const splitter = new LineSplitter();
    lines.on('data', (chunk: Buffer) => {
      const parts = splitter.feed(chunk);
      // Escape sequences of the container must not move this screen's cursor.
      const clean = parts.map((line) => line.replace(/\x1b\[[\d;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g, ''));
      this.logs = [...this.logs, ...clean].slice(-LOG_LINES);
      this.changed();
    });
    if (answer.headers['content-type'] === 'application/vnd.docker.raw-stream') answer.body.pipe(lines);
    else await demultiplex(answer.body, lines, lines);
  }

  /** Follows the events for as long as the view lives; where the daemon goes away, until it is back. */
  private async watch(): Promise<void> {
    const { signal } = this.life;
    let lost = false;
    let following = false;
    const opened = (): void => {
      following = true;
      this.refresh().catch(() => {});
      if (!lost) return;
      this.say('the daemon answers again');
      this.reloadLogs();
    };
    while (!signal.aborted) {
      try {
        for await (const event of this.client.system.events({ filters: { type: ['container'] }, signal, opened })) {
          if (event.Action.startsWith('exec_')) continue;
          await this.refresh();
          // What it writes from now on is a new stream.
          if (event.Action === 'start' && event.Actor.ID === this.logsOf?.id) this.reloadLogs();
        }
        this.say(ENDED);
      } catch (error) {
        // A killed daemon breaks the stream that it was in; why another cannot be had is worth telling.
        if (!signal.aborted) this.say(following ? ENDED : (error as Error).message);
      }
      lost = true;
      following = false;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
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
    read()
      .catch(() => {})
      .finally(() => {
        if (this.streams.get(id) === abort) this.streams.delete(id);
      });
  }
  private take(id: string, sample: StatsAnswer): void {
    this.usages.set(id, usageOf(sample));
    this.changed();
  }
}
