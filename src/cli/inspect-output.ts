import { dockerFunctions, execute, parseTemplate, type Template, TemplateError } from '../template/index.ts';
import { errorText } from './dispatch.ts';
import { indentJson } from './format/indent-json.ts';
import { typed } from './go-types/typed.ts';
import type { Cli } from './session.ts';
import { ExitError } from './spec.ts';

/** Fetches one object's JSON as the daemon wrote it, with Go's name for its type where that depends on the object. */
export type Fetch = (name: string) => Promise<string | { text: string; type?: string }>;

interface Compiled {
  /** For the object as Docker's client decodes it. */
  typed: Template;
  /** For its JSON, where a missing key is an error. */
  raw: Template;
}

/** The template of `--format`, or nothing for JSON. A wrong one ends with 64, as in Docker. */
function compile(format: string): Compiled | undefined {
  if (format === '') return undefined;
  const source = format === 'json' ? '{{json .}}' : format;
  try {
    const parsed = parseTemplate('', source, dockerFunctions);
    return { typed: parsed, raw: { ...parsed, missingKeyIsError: true } };
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(64, `template parsing error: ${error.message}`);
    throw error;
  }
}

/**
 * Prints objects as `inspect` does: a JSON list, or a line of the template for each. What is not found is said at the end; exit code 1.
 */
export async function inspectAll(
  cli: Cli,
  names: readonly string[],
  format: string,
  type: string | undefined,
  fetch: Fetch,
): Promise<void> {
  const template = compile(format);
  const texts: string[] = [];
  const failures: string[] = [];
  for (const name of names) {
    try {
      const fetched = await fetch(name);
      const object = typeof fetched === 'string' ? { text: fetched, type } : fetched;
      texts.push(template ? render(template, object.text, object.type) : object.text);
    } catch (error) {
      if (error instanceof ExitError || (error instanceof Error && error.name === 'ConnectionError')) throw error;
      failures.push(errorText(error));
    }
  }
  if (template) cli.print(texts.map((text) => `${text}\n`).join(''));
  else
    cli.print(
      texts.length === 0
        ? '[]\n'
        : `[\n${texts.map((text) => `    ${indentJson(text.trim(), '    ')}`).join(',\n')}\n]\n`,
    );
  if (template && texts.length === 0) cli.print('\n');
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
}

/** Where Docker's client keeps no JSON to fall back to. */
const TYPED_ONLY = new Set(['volume.Volume', 'context.contextWithTLSListing']);

/** Docker tries its typed value first and the raw JSON, where every missing key is an error, after that. */
function render(template: Compiled, text: string, type: string | undefined): string {
  const json: unknown = JSON.parse(text);
  if (type !== undefined) {
    try {
      return execute(template.typed, typed(type, json));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      if (TYPED_ONLY.has(type)) throw new Error(`template parsing error: ${error.message}`);
    }
  }
  try {
    return execute(template.raw, json);
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(`template parsing error: ${error.message}`);
    throw error;
  }
}
