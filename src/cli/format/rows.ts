import {
  dockerFunctions,
  execute,
  executeSoFar,
  goJson,
  headerFunctions,
  parseTemplate,
  type Template,
  TemplateError,
  typeName,
} from '../../template/index.ts';
import { tabulate } from './tabwriter.ts';

/** What a row offers to a template: a value for each name, made when asked. */
export type RowMethods = Record<string, (...args: string[]) => unknown>;

export interface TableSpec {
  /** Go's name of the row's type, for messages: `formatter.ContainerContext`. */
  type: string;
  /** Column headings, by method. */
  headers: Readonly<Record<string, string>>;
}

/** A value for templates that behaves as a pointer to Docker's formatter struct. */
export function makeRow(type: string, methods: RowMethods): object {
  const row: Record<PropertyKey, unknown> = { ...methods };
  Object.defineProperty(row, typeName, { value: `*${type}` });
  Object.defineProperty(row, 'toJSON', {
    value: () => {
      const names = Object.keys(methods).filter((name) => methods[name]!.length === 0);
      return Object.fromEntries(names.toSorted().map((name) => [name, methods[name]!()]));
    },
  });
  return row;
}

/** `table TEMPLATE` and `table` differ from a plain template by their heading and columns. */
export const isTable = (format: string): boolean => format.startsWith('table');

/**
 * Renders rows with a format as docker/cli's formatter does: `table …`, `json`, or a template.
 * Throws Error `template parsing error: …`.
 */
export function renderRows(format: string, spec: TableSpec, rows: Iterable<RowMethods>): string {
  const table = isTable(format);
  const template = parse(sourceOf(format));
  let body = '';
  for (const methods of rows) body += `${run(template, makeRow(spec.type, methods))}\n`;
  if (!table) return body;
  const header = executeSoFar({ ...template, functions: headerFunctions }, headerRow(spec));
  return tabulate(`${header}\n${body}`);
}

/** Tries a format on a row made up for it, so that a wrong one is told also where a list is empty. Throws as Docker's `ps` does. */
export function checkFormat(format: string, spec: TableSpec, sample: RowMethods): void {
  let doing = 'parse';
  try {
    const template = parseTemplate('', format, rowFunctions);
    doing = 'execute';
    execute(template, makeRow(spec.type, sample));
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(`failed to ${doing} template: ${error.message}`);
    throw error;
  }
}

/** Renders lists of rows as one value: `{{range .Volumes}}{{.Name}}{{end}}`. */
export function renderLists(
  format: string,
  type: string,
  lists: Readonly<Record<string, { spec: TableSpec; rows: readonly RowMethods[] }>>,
): string {
  const value = Object.fromEntries(
    Object.entries(lists).map(([name, { spec, rows }]) => [name, rows.map((row) => makeRow(spec.type, row))]),
  );
  Object.defineProperty(value, typeName, { value: `*${type}` });
  return run(parse(sourceOf(format)), value);
}

/** The template of a format, with the escapes that a shell leaves in it. */
const sourceOf = (format: string): string =>
  (isTable(format) ? format.slice('table'.length) : format === 'json' ? '{{json .}}' : format)
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');

/** The heading line's values: known names are their headings; a label's is made from its key. */
function headerRow(spec: TableSpec): Record<string, unknown> {
  const label = (name: unknown) => String(name).split('.').at(-1)!.replace(/[-_]/g, ' ');
  return { ...spec.headers, Label: label };
}

const HTML_UNSAFE: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };
/** A row's own MarshalJSON escapes what HTML could take for markup; other values' JSON does not. */
const rowFunctions = {
  ...dockerFunctions,
  json: (value: unknown): string =>
    typeof value === 'object' && value !== null && typeName in value
      ? goJson(value).replace(/[<>&]/g, (char) => HTML_UNSAFE[char]!)
      : goJson(value),
};

/** Parses a format; the message says that it could not. */
export function parse(source: string): Template {
  try {
    return parseTemplate('', source, rowFunctions);
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(`template parsing error: ${error.message}`);
    throw error;
  }
}
function run(template: Template, value: unknown): string {
  try {
    return execute(template, value);
  } catch (error) {
    if (error instanceof TemplateError) throw new Error(`template parsing error: ${error.message}`);
    throw error;
  }
}
