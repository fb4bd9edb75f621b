import type { BuildEvent } from '../wire/index.ts';
import { OrderedSender } from './ordered-sender.ts';

export type Send = (message: Record<string, unknown>) => void;

export interface Step {
  number: number;
  total: number;
  text: string;
}

/** What a stage tells while it runs. */
export interface Lane {
  /** Progress of a pull. */
  send: Send;
  begin(step: Step): void;
  /** A line beside the steps. */
  note(text: string): void;
  cached(): void;
  /** Container ids, short. */
  running(container: string): void;
  removed(container: string): void;
  output(text: string, stream: 1 | 2): void;
  /** The step is over; the image id, short, or nothing yet. */
  end(id: string): void;
  /** The stage is over, well or not. */
  done(): void;
}

/** Gives each stage, in the order of the file, its lane. */
export interface LaneMaker {
  /** ARGs before the first FROM: over as soon as they are told. */
  globals(steps: readonly Step[]): void;
  lane(stage: string): Lane;
}

/** The words of Docker's classic builder, stage after stage; standard error is red. */
export function classicLanes(send: Send): LaneMaker {
  const sender = new OrderedSender(send);
  const lanes: LaneMaker = {
    globals(steps) {
      const head = lanes.lane('');
      for (const step of steps) head.begin(step);
      head.done();
    },
    lane() {
      const { offer, done } = sender.lane();
      const stream = (text: string) => offer({ stream: text });
      return {
        send: offer,
        begin({ number, total, text }) {
          stream(`Step ${number}/${total} : ${text}`);
          stream('\n');
        },
        note: (text) => stream(`${text}\n`),
        cached: () => stream(' ---> Using cache\n'),
        running: (container) => stream(` ---> Running in ${container}\n`),
        removed: (container) => stream(` ---> Removed intermediate container ${container}\n`),
        output: (text, from) => stream(from === 1 ? text : `\u001b[91m${text}\u001b[0m`),
        end: (id) => stream(` ---> ${id}\n`),
        done,
      };
    },
  };
  return lanes;
}

/** Gantry's own: every stage's events at once, for a client that shows them side by side. */
export function eventLanes(send: Send): LaneMaker {
  const lanes: LaneMaker = {
    globals(steps) {
      const head = lanes.lane('');
      for (const step of steps) {
        head.begin(step);
        head.end('');
      }
    },
    lane(stage) {
      let step = 0;
      const tell = (event: Partial<BuildEvent>) => send({ build: { step, ...event } });
      return {
        send: (message) => send({ ...message, build: { step } }),
        begin({ number, total, text }) {
          step = number;
          tell({ begin: { stage, total, text, at: Date.now() } });
        },
        note: (text) => tell({ output: `${text}\n` }),
        cached: () => tell({ cached: true }),
        running: () => {},
        removed: () => {},
        output: (output) => tell({ output }),
        end: (id) => tell({ end: { id, at: Date.now() } }),
        done: () => {},
      };
    },
  };
  return lanes;
}

/** For `q`: only the result counts. */
export function silentLanes(): LaneMaker {
  const nothing = () => {};
  const lane: Lane = {
    send: nothing,
    begin: nothing,
    note: nothing,
    cached: nothing,
    running: nothing,
    removed: nothing,
    output: nothing,
    end: nothing,
    done: nothing,
  };
  return { lane: () => lane, globals: nothing };
}
