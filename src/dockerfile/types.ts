/**
 * A Dockerfile as data. Text → logical lines (`lines.ts`) → instructions (`instructions.ts`) → stages (`parse.ts`); all of it is pure.
 * Variables are not yet replaced: that is done when an instruction is run, by `substitute.ts`, in the instructions that have it.
 */

/** `<<NAME` with the lines up to NAME. */
export interface Heredoc {
  name: string;
  /** As written, tabs of `<<-` included; ends with a newline unless it is empty. */
  content: string;
  /** Variables are replaced: the name was not quoted. */
  expand: boolean;
  /** `<<-`: leading tabs are taken off. */
  chomp: boolean;
}

/** An instruction with its continuation lines joined. */
export interface LogicalLine {
  /** Number of its first line, from 1. */
  line: number;
  /** Of its last line, here-documents included. */
  endLine: number;
  text: string;
  heredocs: Heredoc[];
  /** A line without anything stands among its continuation lines. */
  blankContinuation: boolean;
  /** The comment on the line right above, without its `#`. */
  comment: string | undefined;
}

export interface Directives {
  /** The escape character. */
  escape: '\\' | '`';
  syntax?: string;
  check?: string;
}

/** A command in shell form (one string) or exec form. */
export type CommandForm = { shell: string } | { exec: string[] };

export interface RunMount {
  type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  options: ReadonlyMap<string, string>;
}

export interface HealthcheckBody {
  /** `['NONE']`, or undefined when `command` says it. */
  none: boolean;
  command?: CommandForm;
  /** Nanoseconds. */
  interval?: number;
  timeout?: number;
  startPeriod?: number;
  startInterval?: number;
  retries?: number;
}

interface Base {
  line: number;
  /** As written, for messages (continuations joined). */
  original: string;
}

export interface CopyBody {
  sources: string[];
  destination: string;
  /** Sources that are here-documents, by the word that names them. */
  heredocs: Heredoc[];
  from?: string;
  chown?: string;
  chmod?: string;
  link: boolean;
  parents: boolean;
  exclude: string[];
  checksum?: string;
  keepGitDir: boolean;
  /** ADD only: undefined means that local archives are unpacked and fetched ones not. */
  unpack?: boolean;
}

export type Instruction = Base &
  (
    | { name: 'RUN'; command: CommandForm; heredocs: Heredoc[]; mounts: string[]; network?: string; security?: string }
    | { name: 'CMD' | 'ENTRYPOINT'; command: CommandForm }
    | { name: 'SHELL'; shell: string[] }
    | ({ name: 'COPY' | 'ADD' } & CopyBody)
    | { name: 'ENV' | 'LABEL'; pairs: [name: string, value: string][] }
    | { name: 'ARG'; args: { name: string; value?: string }[] }
    | { name: 'EXPOSE' | 'VOLUME'; values: string[] }
    | { name: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER'; value: string }
    | { name: 'ONBUILD'; trigger: string }
    | { name: 'HEALTHCHECK'; health: HealthcheckBody }
  );

export interface Stage {
  index: number;
  /** Lower case, as it is compared. */
  name?: string;
  base: string;
  platform?: string;
  line: number;
  original: string;
  instructions: Instruction[];
}

export interface Dockerfile {
  directives: Directives;
  /** ARGs before the first FROM. */
  metaArgs: (Base & { args: { name: string; value?: string }[] })[];
  stages: Stage[];
}
