import { readDirectives, readLines } from '../lines.ts';
import { parseDockerfile } from '../parse.ts';
import type { Dockerfile } from '../types.ts';
import { checkForm } from './form.ts';
import { type CheckOptions, readCheckOptions } from './options.ts';
import { checkStages } from './stages.ts';
import { type CheckRequest, RULES, type Warn, type Warning } from './types.ts';

export interface Checked {
  /** In order of their lines. */
  warnings: Warning[];
  /** Warnings make the build fail. */
  error: boolean;
}

/** Looks a Dockerfile through. Throws what parsing it throws, and invalid for options that are none. */
export function checkDockerfile(
  text: string,
  request: CheckRequest,
  file: Dockerfile = parseDockerfile(text),
): Checked {
  const options: CheckOptions = readCheckOptions(request.options ?? file.directives.check);
  const warnings: Warning[] = [];
  const warn: Warn = (rule, { line, endLine }, detail) => {
    if (!options.wants(rule)) return;
    const url = `https://docs.docker.com/go/dockerfile/rule/${kebab(rule)}/`;
    warnings.push({ rule, description: RULES[rule], url, detail, start: line, end: endLine });
  };
  const lines = readLines(text, readDirectives(text.replace(/^\uFEFF/, '').split(/\r?\n/, 50)));
  checkForm(lines, warn);
  checkStages(file, lines, request, warn);
  return { warnings: warnings.sort((a, b) => a.start - b.start || phase(a) - phase(b)), error: options.error };
}

/** On one line: what reading finds comes before what the stages' order shows, and that before what running would. */
const PHASES: readonly (readonly string[])[] = [
  ['NoEmptyContinuation'],
  ['StageNameCasing'],
  ['FromAsCasing', 'MaintainerDeprecated'],
  ['ReservedStageName', 'DuplicateStageName'],
  ['ConsistentInstructionCasing'],
  ['FromPlatformFlagConstDisallowed', 'RedundantTargetPlatform'],
  ['UndefinedVar'],
  ['LegacyKeyValueFormat'],
];
function phase({ rule }: Warning): number {
  const found = PHASES.findIndex((rules) => rules.includes(rule));
  return found < 0 ? PHASES.length : found;
}

const kebab = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
