import { dockerFunctions, execute, parseTemplate, type Template, TemplateError } from '../template/index.ts';
import { errorText } from './dispatch.ts';
import { goValues } from './format/go-values.ts';
import { indentJson } from './format/indent-json.ts';
import type { Cli } from './session.ts';
import { ExitError } from './spec.ts';

/** Fetches one object's JSON as the daemon wrote it. */
export type Fetch = (name: string) => Promise<string>;

/** The template of `--format`, or nothing for JSON. A wrong one ends with 64, as in Docker. */
function compile(format: string): { strict: Template } | undefined {
  if (format === '') return undefined;
  const source = format === 'json' ? '{{json .}}' : format;
  try {
    return {
      strict: parseTemplate('', source, dockerFunctions, { missingKeyIsError: true }),
    };
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(64, `template parsing error: ${error.message}`);
    throw error;
  }
}

/**
 * Prints objects as `inspect` does: a JSON list, or a line of the template for each. What is not found is said at the end; exit code 1.
 */
export async function inspectAll(cli: Cli, names: readonly string[], format: string, fetch: Fetch): Promise<void> {
  const template = compile(format);
  const texts: string[] = [];
  const failures: string[] = [];
  for (const name of names) {
    try {
      const text = await fetch(name);
      texts.push(template ? render(template, text) : text);
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

/** Docker tries its typed value first and the raw JSON, where every missing key is an error, after that. */
function render(template: { strict: Template }, text: string): string {
  const raw: unknown = JSON.parse(text);
  try {
    return execute(template.strict, goValues(raw));
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(`template parsing error: ${error.message}`);
    throw error;
  }
}
