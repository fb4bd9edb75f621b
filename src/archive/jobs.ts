import type { ExtractorOptions } from './extractor.ts';
import type {
  CopyTreeOptions,
  CopyTreeResult,
  ExpansionLimits,
  ExtractResult,
  PackOptions,
  TreeChange,
  Unsettled,
} from './types.ts';

/** What a worker can be asked for. Plain data: it crosses threads. */
export type Job =
  | { kind: 'extract'; root: string; path: string; options: ExtractorOptions; limits: ExpansionLimits }
  | { kind: 'settle'; root: string; lower: readonly string[]; unsettled: Unsettled }
  | { kind: 'pack'; root: string; path: string; options: Omit<PackOptions, 'signal'> }
  | { kind: 'copy'; source: string; destination: string; options: Omit<CopyTreeOptions, 'signal'> }
  | { kind: 'size'; dir: string }
  | { kind: 'remove'; path: string }
  | { kind: 'changes'; upper: string; lower: readonly string[] };

export interface JobResults {
  extract: ExtractResult;
  settle: undefined;
  pack: undefined;
  copy: CopyTreeResult;
  size: number;
  remove: undefined;
  changes: TreeChange[];
}

/** To a worker. Output is sent only as far as `more` allowed. */
export type ToWorker =
  | { type: 'start'; id: number; job: Job }
  | { type: 'input'; id: number; chunk: Uint8Array }
  | { type: 'input-end'; id: number }
  | { type: 'more'; id: number; chunks: number }
  | { type: 'abort'; id: number };

/** From a worker. `taken`: bytes of input used up. */
export type FromWorker =
  | { type: 'taken'; id: number; bytes: number }
  | { type: 'output'; id: number; chunk: Uint8Array }
  | { type: 'done'; id: number; result: unknown }
  | { type: 'failed'; id: number; error: { kind: string; message: string; code: string | undefined } };
