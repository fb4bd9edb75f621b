import { EngineError, messageOf } from '../src/common/index.ts';
import {
  IgnoreMatcher,
  parseDockerfile,
  readIgnoreFile,
  substitute,
  substituteWords,
} from '../src/dockerfile/index.ts';

/**
 * Throws random Dockerfiles at the parser: `fuzz-dockerfile.ts [count] [seed]`. Anything but success or a refusal (an EngineError),
 * and any input that takes more than a second of the processor (a busy machine is no find), is a find: it is printed, and the exit code is 1.
 */
const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const LIMIT_MS = 1000;

/** mulberry32: small, seeded, good enough. */
function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = random(seed);
const below = (limit: number): number => Math.floor(next() * limit);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const WORDS = [
  'FROM',
  'from',
  'RUN',
  'COPY',
  'ADD',
  'ENV',
  'ARG',
  'LABEL',
  'CMD',
  'ENTRYPOINT',
  'HEALTHCHECK',
  'ONBUILD',
  'SHELL',
  'USER',
  'WORKDIR',
  'VOLUME',
  'EXPOSE',
  'STOPSIGNAL',
  'MAINTAINER',
  'AS',
  'scratch',
  'busybox',
  'NONE',
  '--from=',
  '--mount=type=cache,target=/x',
  '--chown=1:2',
  '--interval=1s',
  '--link',
  '--',
  '# escape=`',
  '# syntax=x',
  '#',
  '\\',
  '`',
  '\n',
  '\n',
  '\\\n',
  '\r\n',
  '<<EOF',
  '<<-"E"',
  'EOF',
  'E',
  '[',
  ']',
  '"',
  "'",
  ',',
  '["a"]',
  '$',
  '${',
  '}',
  ':-',
  ':+',
  '?',
  '%%',
  '##',
  '/',
  '//',
  '*',
  '**',
  '!',
  '=',
  ' ',
  '\t',
  'a',
  'b=c',
  '\u0000',
  '\uFEFF',
  'é',
  '\ud800',
  '[a-',
  '[^',
] as const;

const make = (): string => {
  let text = next() < 0.7 ? 'FROM a\n' : '';
  for (let words = below(40); words > 0; words--) text += pick(WORDS) + (next() < 0.5 ? ' ' : '');
  return text;
};

const lookup = (name: string): string | undefined =>
  name.length % 3 === 0 ? undefined : name.length % 3 === 1 ? 'a b/c.d' : '';

function allows(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof EngineError
      ? undefined
      : error instanceof Error
        ? (error.stack ?? messageOf(error))
        : String(error);
  }
}

let finds = 0;
const started = performance.now();
for (let run = 0; run < count; run++) {
  const text = make();
  const before = process.cpuUsage();
  for (const [name, work] of [
    ['parse', () => parseDockerfile(text)],
    ['substitute', () => substitute(text, { lookup })],
    ['substituteWords', () => substituteWords(text, { lookup })],
    ['heredoc', () => substitute(text, { lookup, rawQuotes: true })],
    ['ignore', () => new IgnoreMatcher(readIgnoreFile(text)).excludes('a/b/c.d')],
  ] as const) {
    const problem = allows(work);
    if (problem === undefined) continue;
    finds++;
    console.log(`${name} ${JSON.stringify(text)}\n${problem}`);
  }
  const used = process.cpuUsage(before);
  const took = Math.round((used.user + used.system) / 1000);
  if (took > LIMIT_MS) {
    finds++;
    console.log(`took ${took} ms: ${JSON.stringify(text)}`);
  }
}
console.log(`${count} inputs, seed ${seed}, ${finds} finds, ${Math.round((performance.now() - started) / 1000)} s`);
process.exitCode = finds === 0 ? 0 : 1;
