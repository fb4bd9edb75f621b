import { humanSize } from '../../common/index.ts';
import type { ProgressMessage } from '../../wire/index.ts';
import { cut, plainLine, widthOf } from './line-text.ts';

/** Last lines of a running step that are shown below it. */
const TAIL_LINES = 6;
/** Lines of a step that are kept, for the case that it fails. */
const KEPT_LINES = 200;

interface BoardStep {
  name: string;
  from: number;
  to: number | undefined;
  cached: boolean;
  /** The last one may still grow. */
  lines: string[];
  /** Layers of a pull, by id: where its line is. */
  pulls: Map<string, string>;
}

export interface BoardSize {
  columns: number;
  /** Undefined: everything, however long. */
  rows: number | undefined;
  colours: boolean;
}

/** What a build's steps are doing, as lines for a terminal. Pure: time and size are given. */
export class BuildBoard {
  readonly #steps = new Map<number, BoardStep>();
  readonly #from: number;
  #total = 0;

  constructor(now: number) {
    this.#from = now;
  }

  apply(message: ProgressMessage, now: number): void {
    const { build } = message;
    if (build === undefined) return;
    const { begin, end, cached, output } = build;
    if (begin !== undefined) {
      this.#total = begin.total;
      const stage = begin.stage === '' ? '' : `${begin.stage} `;
      const name = `[${stage}${build.step}/${begin.total}] ${begin.text}`;
      this.#steps.set(build.step, { name, from: now, to: undefined, cached: false, lines: [''], pulls: new Map() });
    }
    const step = this.#steps.get(build.step);
    if (step === undefined) return;
    if (cached) step.cached = true;
    if (output !== undefined) grow(step.lines, output);
    if (message.status !== undefined) {
      const { current = 0, total = 0 } = message.progressDetail ?? {};
      const amount = total > 0 ? ` ${humanSize(current)}/${humanSize(total)}` : '';
      step.pulls.set(
        message.id ?? '',
        `${message.id === undefined ? '' : `${message.id}: `}${message.status}${amount}`,
      );
    }
    if (end !== undefined) step.to = now;
  }

  /** `failed`: steps that are not over never will be. */
  lines(now: number, { columns, rows, colours }: BoardSize, outcome?: 'finished' | 'failed'): string[] {
    const steps = [...this.#steps.values()];
    const done = steps.filter(({ to }) => to !== undefined).length;
    const words = outcome === 'finished' ? ' FINISHED' : '';
    const head = `[+] Building ${seconds(now - this.#from)} (${done}/${this.#total})${words}`;
    const blocks = steps.map((step) => {
      const running = step.to === undefined;
      const mark = step.cached ? 'CACHED ' : running && outcome === 'failed' ? 'ERROR ' : '';
      const line = withTime(` => ${mark}${step.name}`, seconds((step.to ?? now) - step.from), columns);
      const colour = running ? (outcome === 'failed' ? 31 : undefined) : 34;
      const shown = colours && colour !== undefined ? `\u001b[${colour}m${line}\u001b[0m` : line;
      const tail = running && outcome === undefined ? tailOf(step) : [];
      return { running, lines: [shown, ...tail.map((text) => cut(` => => # ${text}`, columns))] };
    });
    return [
      cut(head, columns),
      ...(rows === undefined ? blocks : fitting(blocks, rows - 1)).flatMap(({ lines }) => lines),
    ];
  }

  /** The output of steps that are not over, to be shown when the build has failed. */
  unfinished(): { name: string; lines: readonly string[] }[] {
    return [...this.#steps.values()]
      .filter(({ to, lines }) => to === undefined && lines.some((line) => line !== ''))
      .map(({ name, lines }) => ({
        name,
        lines: lines.filter((line, index) => line !== '' || index < lines.length - 1),
      }));
  }
}

interface Block {
  running: boolean;
  lines: string[];
}

/** What is running comes first; of the others the last ones that there is room for. */
function fitting(blocks: readonly Block[], rows: number): Block[] {
  let room = rows;
  const chosen = new Set<Block>();
  for (const wanted of [true, false])
    for (const block of blocks.toReversed()) {
      if (block.running !== wanted || room <= 0) continue;
      block.lines.splice(room);
      room -= block.lines.length;
      chosen.add(block);
    }
  return blocks.filter((block) => chosen.has(block));
}

const tailOf = ({ lines, pulls }: BoardStep): string[] =>
  [...pulls.values(), ...lines.filter((line) => line !== '')].map(plainLine).slice(-TAIL_LINES);

function grow(lines: string[], text: string): void {
  const [first = '', ...rest] = text.split('\n');
  lines[lines.length - 1] += first;
  lines.push(...rest);
  if (lines.length > KEPT_LINES) lines.splice(0, lines.length - KEPT_LINES);
}

const seconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(1)}s`;

/** The time stands at the right edge. */
function withTime(text: string, time: string, columns: number): string {
  const room = Math.max(1, columns - time.length - 2);
  const short = cut(plainLine(text), room);
  return cut(`${short}${' '.repeat(Math.max(1, columns - 1 - widthOf(short) - time.length))}${time}`, columns);
}
