/**
 * A command is data: how it is called, its flags, its arguments, and one function that builds a request and renders the answer.
 * Help, parsing, completion and the man page are all made from it. One file a command, loaded when it is called.
 */
import type { Cli } from './session.ts';

/** What a flag takes; the name is what help shows behind it (pflag's type names, as Docker's). */
export type FlagType =
  | 'bool'
  | 'string'
  | 'int'
  | 'uint'
  | 'uint16'
  | 'bytes'
  | 'decimal'
  | 'duration'
  | 'list'
  | 'strings'
  | 'stringArray'
  | 'stringToString'
  | 'map'
  | 'filter'
  | 'mount'
  | 'network'
  | 'ulimit'
  | 'gpu-request';

export interface FlagSpec {
  name: string;
  short?: string;
  type: FlagType;
  /** Help text, with Docker's own "(default …)" at its end. */
  usage: string;
  default?: string;
  hidden?: boolean;
  /** Said on stderr when the flag is used. */
  deprecated?: string;
  /** An old spelling: the value counts for this flag. */
  aliasOf?: string;
  /** Checks and may rewrite a value; throws Error with Docker's words. */
  check?: (value: string) => string;
  /** `-1` is taken too, and means no limit. */
  unlimited?: boolean;
  /** The value of the flag when none follows it (`--tree` beside `--tree=all`). */
  bare?: string;
}

/** How many positional arguments. */
export interface ArgRule {
  min: number;
  max: number;
}
export const noArgs: ArgRule = { min: 0, max: 0 };
export const exactly = (count: number): ArgRule => ({ min: count, max: count });
export const atLeast = (count: number): ArgRule => ({ min: count, max: Number.POSITIVE_INFINITY });
export const atMost = (count: number): ArgRule => ({ min: 0, max: count });
export const between = (min: number, max: number): ArgRule => ({ min, max });

/** What the shell can be offered for a positional argument. */
export type Completion = 'containers' | 'running' | 'images' | 'volumes' | 'networks' | 'contexts' | 'files';

/** A call of a command: parsed flags and arguments. */
export interface Call {
  args: string[];
  flags: FlagValues;
  cli: Cli;
  /** As typed: `gantry container ls`. */
  path: string;
}

export interface CommandSpec {
  /** What follows the command's name in the usage line. */
  use: string;
  /** The description in help, where one line does not do. */
  long?: string;
  examples: readonly string[];
  flags: readonly FlagSpec[];
  args: ArgRule;
  /** False: the first positional argument ends the flags (run, exec). */
  interspersed?: boolean;
  complete?: readonly Completion[];
  /** `complete` names one kind for each argument, not kinds that any may be. */
  completeInOrder?: true;
  /** Words that an argument is one of. */
  choices?: readonly string[];
  /** Resolves to the exit code; nothing means 0. */
  run(call: Call): Promise<number | undefined> | Promise<void>;
}

/** Values of flags, each read by the kind it was declared with. */
export interface FlagValues {
  bool(name: string): boolean;
  text(name: string): string;
  int(name: string): number;
  list(name: string): string[];
  changed(name: string): boolean;
}

/** Ends the program with a code; the message (if any) goes to stderr as it is. */
export class ExitError extends Error {
  override name = 'ExitError';
  readonly code: number;
  constructor(code: number, message = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A mistake in how a command was called. Shown with its usage. */
export class UsageError extends Error {
  override name = 'UsageError';
}
