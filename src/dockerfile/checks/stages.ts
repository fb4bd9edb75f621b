import { substitute } from '../substitute.ts';
import { suggestion } from '../suggest.ts';
import type { Dockerfile, Instruction, LogicalLine, Stage } from '../types.ts';
import { instructionOf } from './form.ts';
import type { CheckRequest, Warn } from './types.ts';

const RESERVED: readonly string[] = ['scratch', 'context'];
const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const PUBLIC = /(?:_|^)public(?:_|$)/i;
/** Known to every command. */
const ALWAYS: readonly string[] = ['PATH'];

/** What a stage leaves to one that builds on it. */
interface StageFacts {
  names: Set<string>;
  workdirSet: boolean;
  shellSet: boolean;
}

/** Rules about what instructions mean together. */
export function checkStages(file: Dockerfile, lines: readonly LogicalLine[], request: CheckRequest, warn: Warn): void {
  const byNumber = new Map(lines.map((line) => [line.line, line]));
  const lineOf = ({ line }: { line: number }): LogicalLine => byNumber.get(line)!;
  const known: { stage: Stage; facts: StageFacts }[] = [];
  for (const stage of file.stages) {
    checkFrom(file, stage, lineOf(stage), request, warn);
    const base = known.findLast(({ stage: other }) => other.name === stage.base.toLowerCase())?.facts;
    const names = base?.names ?? [...ALWAYS, ...request.environmentOf(stage.base)];
    const facts = { workdirSet: false, shellSet: false, ...base, names: new Set(names) };
    const checked = new StageCheck(file, facts, { lineOf, isIgnored: request.isIgnored, warn });
    for (const instruction of stage.instructions) checked.instruction(instruction);
    known.push({ stage, facts });
  }
}

function checkFrom(file: Dockerfile, stage: Stage, line: LogicalLine, request: CheckRequest, warn: Warn): void {
  const written = /\sas\s+(\S+)\s*$/i.exec(line.text)?.[1];
  if (written !== undefined && written !== written.toLowerCase())
    warn('StageNameCasing', line, `Stage name '${written}' should be lowercase`);
  if (stage.name !== undefined && RESERVED.includes(stage.name))
    warn('ReservedStageName', line, `Stage name should not use the same name as reserved stage "${stage.name}"`);
  if (stage.name !== undefined && file.stages.some(({ name, index }) => name === stage.name && index < stage.index))
    warn('DuplicateStageName', line, `Duplicate stage name "${stage.name}", stage names should be unique`);
  checkPlatform(stage, line, warn);
  checkBase(file, stage, line, request, warn);
  describe('FROM', stage.name, line, warn);
}

function checkPlatform({ platform, name = '' }: Stage, line: LogicalLine, warn: Warn): void {
  if (platform === undefined) return;
  if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform))
    warn(
      'RedundantTargetPlatform',
      line,
      `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
    );
  // A stage may be for one platform only; then its name says so.
  const [os = '', architecture = ''] = platform.split('/');
  if (!platform.includes('$') && !name.includes(os) && (architecture === '' || !name.includes(architecture)))
    warn(
      'FromPlatformFlagConstDisallowed',
      line,
      `FROM --platform flag should not use constant value ${JSON.stringify(platform)}`,
    );
}

function checkBase(
  { metaArgs, directives: { escape } }: Dockerfile,
  stage: Stage,
  line: LogicalLine,
  { platformArgs, isReference }: CheckRequest,
  warn: Warn,
): void {
  const defaults = new Map<string, string>(platformArgs);
  const declared = new Set<string>(platformArgs.keys());
  for (const { name, value } of metaArgs.flatMap(({ args }) => args)) {
    declared.add(name);
    if (value !== undefined) defaults.set(name, replaced(value, escape, (key) => defaults.get(key)) ?? '');
  }
  const missing = new Set<string>();
  const lookup = (name: string): string | undefined => {
    if (!declared.has(name)) missing.add(name);
    return defaults.get(name);
  };
  const base = replaced(stage.base, escape, lookup);
  if (stage.platform !== undefined) replaced(stage.platform, escape, lookup);
  for (const name of missing)
    warn('UndefinedArgInFrom', line, `FROM argument '${name}' is not declared${suggestionIn(name, declared, '')}`);
  if (stage.base.includes('$') && base !== undefined && (base === '' || !isReference(base)))
    warn(
      'InvalidDefaultArgInFrom',
      line,
      `Default value for ARG ${stage.base} results in empty or invalid base image name`,
    );
}

/** The word with its variables; undefined where that fails, which is the build's to say. */
function replaced(text: string, escape: string, lookup: (name: string) => string | undefined): string | undefined {
  try {
    return substitute(text, { lookup, escape });
  } catch {
    return undefined;
  }
}

const suggestionIn = (name: string, known: Iterable<string>, prefix: string): string =>
  suggestion(name, [...known]).replace('mean ', `mean ${prefix}`);

class StageCheck {
  readonly #file: Dockerfile;
  readonly #facts: StageFacts;
  readonly #lineOf: (at: { line: number }) => LogicalLine;
  readonly #isIgnored: CheckRequest['isIgnored'];
  readonly #warn: Warn;
  /** Instructions of which the last one counts. */
  readonly #last = new Map<string, LogicalLine>();

  constructor(
    file: Dockerfile,
    facts: StageFacts,
    tools: { lineOf: (at: { line: number }) => LogicalLine; isIgnored: CheckRequest['isIgnored']; warn: Warn },
  ) {
    this.#file = file;
    this.#facts = facts;
    this.#lineOf = tools.lineOf;
    this.#isIgnored = tools.isIgnored;
    this.#warn = tools.warn;
  }

  instruction(instruction: Instruction): void {
    const line = this.#lineOf(instruction);
    const texts = this.#variables(instruction, line);
    switch (instruction.name) {
      case 'CMD':
      case 'ENTRYPOINT':
        this.#once(instruction.name, line);
        if ('shell' in instruction.command && !this.#facts.shellSet)
          this.#warn(
            'JSONArgsRecommended',
            line,
            `JSON arguments recommended for ${instruction.name} to prevent unintended behavior related to OS signals`,
          );
        break;
      case 'HEALTHCHECK':
        this.#once(instruction.name, line);
        break;
      case 'SHELL':
        this.#facts.shellSet = true;
        break;
      case 'WORKDIR':
        this.#workdir(texts[0] ?? '', line);
        break;
      case 'EXPOSE':
        this.#expose(texts, line);
        break;
      case 'COPY':
      case 'ADD':
        if (instruction.from === undefined) this.#copy(instruction.name, instruction.sources, line);
        break;
      case 'ARG':
        for (const { name } of instruction.args) this.#declare('ARG', name, line);
        describe('ARG', instruction.args.length === 1 ? instruction.args[0]!.name : undefined, line, this.#warn);
        break;
      case 'ENV':
        for (const [name] of instruction.pairs) this.#declare('ENV', name, line);
        break;
    }
  }

  #once(name: string, line: LogicalLine): void {
    const before = this.#last.get(name);
    if (before !== undefined)
      this.#warn(
        'MultipleInstructionsDisallowed',
        before,
        `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
      );
    this.#last.set(name, line);
  }

  #declare(kind: 'ARG' | 'ENV', name: string, line: LogicalLine): void {
    if (SECRET.test(name) && !PUBLIC.test(name))
      this.#warn(
        'SecretsUsedInArgOrEnv',
        line,
        `Do not use ARG or ENV instructions for sensitive data (${kind} ${JSON.stringify(name)})`,
      );
    this.#facts.names.add(name);
  }

  #workdir(path: string, line: LogicalLine): void {
    if (path.startsWith('/')) this.#facts.workdirSet = true;
    else if (!this.#facts.workdirSet)
      this.#warn(
        'WorkdirRelativePath',
        line,
        `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`,
      );
  }

  #copy(name: 'COPY' | 'ADD', sources: readonly string[], line: LogicalLine): void {
    // What a variable holds is not known here.
    for (const source of sources.filter((text) => !text.includes('$') && !/^\w+:\/\//.test(text)))
      if (this.#isIgnored(source))
        this.#warn(
          'CopyIgnoredFile',
          line,
          `Attempting to ${name === 'COPY' ? 'Copy' : 'Add'} file ${JSON.stringify(source)} that is excluded by .dockerignore`,
        );
  }

  #expose(ports: readonly string[], line: LogicalLine): void {
    for (const port of ports.toSorted()) {
      const protocol = port.split('/')[1] ?? '';
      if (protocol !== protocol.toLowerCase())
        this.#warn('ExposeProtoCasing', line, `Defined protocol '${port}' in EXPOSE instruction should be lowercase`);
      if (port.includes(':'))
        this.#warn(
          'ExposeInvalidFormat',
          line,
          `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
        );
    }
  }

  /** Warns of variables that nobody has set, and gives the instruction's words with theirs replaced by nothing. */
  #variables(instruction: Instruction, line: LogicalLine): string[] {
    const missing = new Set<string>();
    const lookup = (name: string): string => {
      if (/^[A-Za-z_]/.test(name) && !this.#facts.names.has(name)) missing.add(name);
      return '';
    };
    const texts = wordsWithVariables(instruction).map(
      (word) => replaced(word, this.#file.directives.escape, lookup) ?? word,
    );
    // The reference replaces the variables of EXPOSE elsewhere, without a word.
    if (instruction.name === 'EXPOSE') return texts;
    for (const name of missing)
      this.#warn(
        'UndefinedVar',
        line,
        `Usage of undefined variable '$${name}'${suggestionIn(name, this.#facts.names, '$')}`,
      );
    return texts;
  }
}

/** The arguments in which variables are replaced (Dockerfile reference, "Environment replacement"). */
function wordsWithVariables(instruction: Instruction): string[] {
  switch (instruction.name) {
    case 'COPY':
    case 'ADD': {
      const { sources, destination, chown, chmod, checksum } = instruction;
      return [...[chown, chmod, checksum].flatMap((flag) => flag ?? []), ...sources, destination];
    }
    case 'ENV':
    case 'LABEL':
      return instruction.pairs.flat();
    case 'ARG':
      return instruction.args.flatMap(({ value }) => value ?? []);
    case 'EXPOSE':
    case 'VOLUME':
      return instruction.values;
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return [instruction.value];
    default:
      return [];
  }
}

/** A comment right above describes a stage or an argument, and begins with its name. */
function describe(instruction: 'FROM' | 'ARG', name: string | undefined, line: LogicalLine, warn: Warn): void {
  if (name === undefined || line.comment === undefined) return;
  if (instructionOf(line).name !== instruction || line.comment.startsWith(`${name} `)) return;
  warn(
    'InvalidDefinitionDescription',
    line,
    `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
  );
}
