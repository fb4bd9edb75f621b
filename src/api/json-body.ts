import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { invalid, tooLarge } from '../common/index.ts';

/** Far above any real request; a container with ten thousand labels has about 1 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface BodyOptions {
  /** An empty body reads as undefined rather than as an error. */
  optional?: boolean;
  /** Go's name of the type, for messages. */
  typeName?: string;
}

/** Reads a JSON body as moby does (api/server/httputils/httputils.go), with its words for everything that is wrong with one. */
export async function readJson<T>(request: IncomingMessage, schema: z.ZodType<T>, options: BodyOptions = {}): Promise<T | undefined> {
  checkContentType(request);
  const text = await readText(request);
  if (text.trim() === '') {
    if (options.optional === true) return undefined;
    throw invalid('invalid JSON: got EOF while reading request body');
  }
  return decode(text, schema, options.typeName);
}

function checkContentType(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type === undefined || type === '') {
    const empty = request.headers['transfer-encoding'] === undefined && (request.headers['content-length'] ?? '0') === '0';
    if (empty) return;
    throw invalid('malformed Content-Type header (): mime: no media type');
  }
  const media = type.split(';')[0]?.trim().toLowerCase();
  if (media !== 'application/json') throw invalid(`unsupported Content-Type header (${type}): must be 'application/json'`);
}

async function readText(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge('request body too large');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLarge('request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function decode<T>(text: string, schema: z.ZodType<T>, typeName = 'types.Request'): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(syntaxMessage(text, error as Error));
  }
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(`invalid JSON: ${goMessage(parsed.error.issues[0], value, typeName)}`);
}

function syntaxMessage(text: string, error: Error): string {
  const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
  if (/after JSON/.test(error.message)) return 'unexpected content after JSON';
  const character = text[at];
  if (character === undefined || /Unexpected end|Unterminated string/.test(error.message)) return 'invalid JSON: unexpected EOF';
  return `invalid JSON: invalid character '${character}' looking for beginning of value`;
}

/** Go's types by zod's names. */
const GO_TYPES: Record<string, string> = {
  string: 'string',
  number: 'int64',
  int: 'int64',
  boolean: 'bool',
  array: '[]string',
  record: 'map[string]string',
  object: 'map[string]string',
};

function goMessage(issue: z.core.$ZodIssue | undefined, root: unknown, typeName: string): string {
  if (issue === undefined) return 'json: invalid value';
  const path = issue.path.filter((part) => typeof part === 'string');
  let value = root;
  for (const part of issue.path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[part];
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? numberText(value) : typeof value;
  if (path.length === 0) return `json: cannot unmarshal ${kind} into Go value of type ${typeName}`;
  const wanted = issue.code === 'invalid_type' ? (GO_TYPES[issue.expected] ?? issue.expected) : issue.code === 'invalid_union' ? '[]string' : undefined;
  if (wanted === undefined) return `json: invalid value for .${path.join('.')}: ${issue.message}`;
  return `json: cannot unmarshal ${kind} into Go struct field .${path.join('.')} of type ${wanted}`;
}

const numberText = (value: number): string => (Number.isInteger(value) ? 'number' : `number ${value}`);
