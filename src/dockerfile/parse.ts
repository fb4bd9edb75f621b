import { invalid } from '../common/index.ts';
import { argsOf, at, parseInstruction, splitInstruction } from './instructions.ts';
import { readDirectives, readLines } from './lines.ts';
import type { Directives, Dockerfile, Instruction, LogicalLine, Stage } from './types.ts';

/** More is a mistake or an attack; the reference stops at the message size. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Reads a Dockerfile whole. Throws invalid, in the words of BuildKit's parser that dockerd passes on. */
export function parseDockerfile(text: string): Dockerfile {
  if (text.length > MAX_BYTES) throw invalid('failed to parse Dockerfile: the file is too large');
  const directives = readDirectives(text.replace(/^\uFEFF/, '').split(/\r?\n/, 50));
  const lines = readLines(text, directives);
  if (lines.length === 0) throw invalid('failed to parse Dockerfile: file with no instructions');
  const file: Dockerfile = { directives, metaArgs: [], stages: [] };
  for (const line of lines) {
    const split = splitInstruction(line, directives);
    const stage = file.stages.at(-1);
    if (split.name === 'FROM')
      file.stages.push(stageOf(line, split.rest, split.flags.get('platform')?.[0], file.stages.length));
    else if (stage !== undefined) stage.instructions.push(parseInstruction(line, directives, split));
    else if (split.name === 'ARG') {
      const args = argsOf(split.rest, directives.escape);
      if (args.length === 0) throw at(line.line, 'ARG requires at least one argument');
      file.metaArgs.push({ line: line.line, original: line.text, args });
    } else throw invalid('no build stage in current context');
  }
  if (file.stages.length === 0) throw invalid('dockerfile contains no stages to build');
  return file;
}

function stageOf(line: LogicalLine, rest: string, platform: string | undefined, index: number): Stage {
  const words = rest.split(/\s+/).filter((word) => word !== '');
  const base = { index, platform, line: line.line, original: line.text };
  if (words.length === 1) return { ...base, base: words[0]!, instructions: [] };
  if (words.length !== 3 || words[1]!.toLowerCase() !== 'as')
    throw at(line.line, 'FROM requires either one or three arguments');
  const name = words[2]!.toLowerCase();
  if (!/^[a-z][a-z0-9-_.]*$/.test(name))
    throw at(
      line.line,
      `invalid name for build stage: ${JSON.stringify(words[2])}, name can't start with a number or contain symbols`,
    );
  return { ...base, base: words[0]!, name, instructions: [] };
}

/** An image's ONBUILD trigger as the instruction that it stands for. */
export function parseTrigger(text: string, directives: Directives = { escape: '\\' }): Instruction {
  const lines = readLines(text, directives);
  const [line] = lines;
  if (lines.length !== 1 || line === undefined) throw invalid(`invalid ONBUILD trigger: ${text}`);
  const split = splitInstruction(line, directives);
  if (split.name === 'ONBUILD') throw at(line.line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (split.name === 'FROM' || split.name === 'MAINTAINER')
    throw at(line.line, `${split.name} isn't allowed as an ONBUILD trigger`);
  return parseInstruction(line, directives, split);
}
