import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { invalid, tooLarge } from '../common/index.ts';
import { withSchemaKeys } from './go-keys.ts';

/** Far above any real request; a container with ten thousand labels has about 1 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface BodyOptions {
  /** An empty body is an error; else it reads as undefined. */
  needed?: boolean;
  /** Go's name of the type, for messages: `volume.CreateOptions`. */
  typeName?: string;
  /** What was read of the request already; else it is read here. */
  body?: Buffer;
}

/** Reads a JSON body as moby does (api/server/httputils/httputils.go), with its words for everything that is wrong with one. */
export async function readJson<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  options: BodyOptions = {},
): Promise<T | undefined> {
  checkContentType(request);
  const text = options.body === undefined ? await readText(request) : options.body.toString();
  if (text.trim() === '') {
    if (options.needed !== true) return undefined;
    throw invalid('invalid JSON: got EOF while reading request body');
  }
  return decode(text, schema, options.typeName);
}

function checkContentType(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type === undefined || type === '') {
    const empty =
      request.headers['transfer-encoding'] === undefined && (request.headers['content-length'] ?? '0') === '0';
    if (empty) return;
    throw invalid('malformed Content-Type header (): mime: no media type');
  }
  const [media = '', ...parameters] = type.split(';').map((part) => part.trim());
  if (!parameters.every((text) => text === '' || /^[^\s"=]+\s*=\s*("[^"]*"|[^\s"]+)$/.test(text)))
    throw invalid(`malformed Content-Type header (${type}): mime: invalid media parameter`);
  if (media.toLowerCase() !== 'application/json')
    throw invalid(`unsupported Content-Type header (${type}): must be 'application/json'`);
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
    const rest = trailing(error as Error);
    // Go's decoder asks whether more follows, and takes a closing bracket for the end of what it is in.
    if (rest !== undefined && /[\]}]/.test(text[rest] ?? '')) return decode(text.slice(0, rest), schema, typeName);
    throw invalid(syntaxMessage(text, error as Error));
  }
  value = withSchemaKeys(value, schema);
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(`invalid JSON: ${goMessage(parsed.error.issues, value, typeName)}`);
}

/** Where what follows a whole JSON value begins. */
function trailing({ message }: Error): number | undefined {
  const at = /after JSON at position (\d+)/.exec(message)?.[1];
  return at === undefined ? undefined : Number(at);
}

function syntaxMessage(text: string, error: Error): string {
  const { message } = error;
  if (/after JSON/.test(message)) return 'unexpected content after JSON';
  if (/Unexpected end|Unterminated string/.test(message)) return 'invalid JSON: unexpected EOF';
  const at = /position (\d+)/.exec(message)?.[1];
  const character = /Unexpected token '(.)'/su.exec(message)?.[1] ?? (at === undefined ? undefined : text[Number(at)]);
  if (character === undefined) return 'invalid JSON: unexpected EOF';
  if (/escaped character/.test(message)) return `invalid JSON: invalid escape sequence \`\\${character}\` in string`;
  const shown = character === '"' ? character : JSON.stringify(character).slice(1, -1).replace("'", "\\'");
  if (/control character/.test(message)) return `invalid JSON: invalid character '${shown}' in string`;
  const wanted = /property name/.test(message) ? 'object key string' : 'value';
  return `invalid JSON: invalid character '${shown}' looking for beginning of ${wanted}`;
}

/** Go's types by zod's names, and of the fields whose Go type has a name of its own. */
const GO_TYPES: Record<string, string> = {
  string: 'string',
  number: 'int64',
  int: 'int64',
  boolean: 'bool',
  array: '[]string',
  record: 'map[string]string',
  object: 'map[string]string',
};
const GO_FIELDS: Record<string, string> = {
  ExposedPorts: 'nat.PortSet',
  PortBindings: 'nat.PortMap',
  HostConfig: 'container.HostConfig',
  NetworkingConfig: 'network.NetworkingConfig',
  EndpointsConfig: 'map[string]*network.EndpointSettings',
  Healthcheck: 'container.HealthConfig',
  Interval: 'time.Duration',
  Timeout: 'time.Duration',
  StartPeriod: 'time.Duration',
  StartInterval: 'time.Duration',
  Volumes: 'map[string]struct {}',
  RestartPolicy: 'container.RestartPolicy',
  LogConfig: 'container.LogConfig',
  Mounts: '[]mount.Mount',
  BindOptions: 'mount.BindOptions',
  VolumeOptions: 'mount.VolumeOptions',
  TmpfsOptions: 'mount.TmpfsOptions',
  Mode: 'fs.FileMode',
  NetworkMode: 'container.NetworkMode',
  StopTimeout: 'int',
  Ulimits: '[]*units.Ulimit',
  Devices: '[]container.DeviceMapping',
  BlkioWeightDevice: '[]*blkiodev.WeightDevice',
  IPAM: 'network.IPAM',
  EndpointConfig: 'network.EndpointSettings',
};
/** Of what is in a list or map, by its name. */
const GO_ITEMS: Record<string, string> = {
  Mounts: 'mount.Mount',
  ExposedPorts: 'struct {}',
  Volumes: 'struct {}',
  PortBindings: '[]nat.PortBinding',
};

function goType(path: readonly PropertyKey[], issue: z.core.$ZodIssue): string | undefined {
  const [parent, last] = [undefined, ...path].slice(-2).map(String);
  const named = GO_FIELDS[last ?? ''] ?? GO_ITEMS[parent ?? ''];
  if (named !== undefined) return named;
  if (issue.code === 'invalid_type') return GO_TYPES[issue.expected];
  return issue.code === 'too_big' || issue.code === 'too_small' ? 'int64' : undefined;
}

/** Go's decoder takes a missing field for its zero value, so what is wrong is sought among what was given. */
function goMessage(issues: readonly z.core.$ZodIssue[], root: unknown, typeName: string): string {
  const at = ({ path }: z.core.$ZodIssue) =>
    path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part], root);
  const issue = issues.find((candidate) => at(candidate) !== undefined) ?? issues[0];
  if (issue === undefined) return 'json: invalid value';
  const value = at(issue);
  // Container requests embed their configuration: Go names no struct for its fields.
  const struct = typeName === 'container.CreateRequest' ? '' : (typeName.split('.')[1] ?? '');
  const path = issue.path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  const field = `${struct}.${path.join('.')}`;
  if (value === undefined) return `json: ${field} is missing`;
  const kind = Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'number'
        ? numberText(value, issue.code)
        : typeof value;
  if (path.length === 0) return `json: cannot unmarshal ${kind} into Go value of type ${typeName}`;
  // A command has a decoder of its own (strslice.StrSlice), which knows no field.
  if (issue.code === 'invalid_union') return `json: cannot unmarshal ${kind} into Go value of type string`;
  const wanted = goType(issue.path, issue);
  if (wanted === undefined) return `json: invalid value for ${field}: ${issue.message}`;
  const place = typeof issue.path.at(-1) === 'number' ? field : `Go struct field ${field}`;
  return `json: cannot unmarshal ${kind} into ${place} of type ${wanted}`;
}

/** Go tells a number that does not fit. */
const numberText = (value: number, code: string | undefined): string =>
  Number.isInteger(value) && code !== 'too_big' && code !== 'too_small' ? 'number' : `number ${value}`;
