import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { normalise, removeNamed } from './scenario.ts';

/**
 * Requests that no command line sends, or whose answers it does not show: the Engine API endpoint by endpoint, with bad input. Each file of
 * `wire/` is a scenario, each line a request:
 *
 *     [~] [SHOW] METHOD PATH [[CONTENT-TYPE]] [BODY] [| as NAME] [| only FIELDS] [| look METHOD PATH] [| after METHOD PATH]
 *
 * The path is of the newest version unless it begins with `=`; `$V` stands for each of the versions at which answers change, `$N` and `$IMG` are
 * as in the scenarios of the command line. A body of `''` is an empty one. `create BODY` and `mount MOUNT` make a container with that and remove it.
 * `~`: asked, not shown. `as` keeps the Id of the answer for `$NAME` in later lines; `look` is asked and shown, `after` asked, if the first succeeded;
 * `only` shows these fields of the last answer, by dotted paths.
 */
const VERSIONS = [24, 25, 29, 30, 32, 37, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51];
const DIRECTORY = join(import.meta.dirname, 'wire');

/** What of an answer is compared: its body; the body's form (names and kinds of values); the names of its top; how many there are; or all headers. */
type Show = 'body' | 'shape' | 'keys' | 'count' | 'headers';

interface Ask {
  line: string;
  method: string;
  path: string;
  show: Show;
  silent: boolean;
  body?: string;
  headers: Record<string, string>;
  only?: string;
  as?: string;
  look?: string;
  after?: string;
}

export interface WireScenario {
  name: string;
  asks: Ask[];
}

const expand = (line: string): string[] =>
  line.includes('$V') ? VERSIONS.map((version) => line.replaceAll('$V', String(version))) : [line];

const CREATE = 'POST /containers/create?name=$N {"Image":"$IMG",';
const LOOK = 'look GET /containers/$N/json | only HostConfig.Mounts Mounts';
const REMOVE = 'after DELETE /containers/$N?v=1';

function parse(line: string): Ask {
  const full = line
    .replace(/^create \{(.*)\}$/, (_, body: string) => `${CREATE}${body}} | ${REMOVE}`)
    .replace(
      /^mount (.*)$/,
      (_, mount: string) => `${CREATE}"HostConfig":{"Mounts":[${mount}]}} | ${LOOK} | ${REMOVE}`,
    );
  const [text = '', ...options] = full.split(' | ');
  const match =
    /^(?<silent>~ )?(?:(?<show>[a-z]+) )?(?<method>[A-Z]+) (?<path>\S+)(?: \[(?<type>[^\]]*)\](?= |$))?(?: (?<body>.*))?$/.exec(
      text,
    );
  if (match?.groups === undefined) throw new Error(`no request: ${line}`);
  const { silent, show = 'body', method = '', path = '', type, body } = match.groups;
  const named = Object.fromEntries(
    options.map((option) => [option.split(' ', 1)[0], option.slice(option.indexOf(' ') + 1)]),
  );
  return {
    line: text,
    method,
    path,
    show: show as Show,
    silent: silent !== undefined,
    headers:
      type === 'upgrade'
        ? { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Type': 'application/json' }
        : body === undefined
          ? {}
          : { 'Content-Type': type ?? 'application/json' },
    ...(body === undefined ? {} : { body: body === "''" ? '' : body }),
    ...named,
  };
}

export const wire: WireScenario[] = readdirSync(DIRECTORY)
  .sort()
  .map((file) => ({
    name: basename(file, '.txt').replaceAll('-', ' '),
    asks: readFileSync(join(DIRECTORY, file), 'utf8').trimEnd().split('\n').flatMap(expand).map(parse),
  }));

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A stream that does not end by itself is cut. */
const TIMEOUT_MS = 8000;
let counter = 0;

/** Asks all of it and returns the answers as one text, normalised. */
export async function playWire(scenario: WireScenario, target: { host: string; image: string }): Promise<string> {
  const prefix = `cf${process.pid.toString(36)}w${(counter++).toString(36)}y`;
  const values: Record<string, string> = { N: prefix, IMG: target.image };
  const filled = (text: string) => text.replace(/\$([A-Za-z]+)/g, (all, name: string) => values[name] ?? all);
  const socketPath = target.host.replace('unix://', '');
  const send = ({ method, path, body, headers }: Pick<Ask, 'method' | 'path' | 'body' | 'headers'>) =>
    call(socketPath, {
      method,
      path: filled(path.startsWith('=') ? path.slice(1) : `/v1.51${path}`).replace(
        /["{}[\]<>\\^`|]/g,
        encodeURIComponent,
      ),
      headers,
      ...(body === undefined ? {} : { body: filled(body) }),
    });
  const follow = (text: string) => {
    const [method = '', path = ''] = text.split(' ');
    return send({ method, path, headers: {} });
  };
  const lines: string[] = [];
  let before = '';
  try {
    for (const ask of scenario.asks) {
      const answer = await send(ask);
      const text = shown(answer, ask.show, ask.look === undefined ? ask.only : undefined);
      if (!ask.silent) lines.push(`> ${ask.line}`, text === before && text.length > 200 ? '(the same)' : text);
      before = text;
      if (answer.status >= 300) continue;
      if (ask.as !== undefined) values[ask.as] = String((parsed(answer.text) as { Id?: string } | undefined)?.Id);
      if (ask.look !== undefined) lines.push(shown(await follow(ask.look), 'body', ask.only));
      if (ask.after !== undefined) await follow(ask.after);
    }
  } finally {
    await removeNamed(target.host, prefix);
  }
  const names = { prefix, image: target.image, work: 'WORK', port: 'PORT', subnet: 'SUBNET' };
  return normalise(lines.join('\n'), names).replace(/\d+(\.\d+)? ?ms\b/g, 'MS');
}

function call(
  socketPath: string,
  { method, path, body, headers }: { method: string; path: string; body?: string; headers: Record<string, string> },
): Promise<Answer> {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const outgoing = request({ socketPath, method, path, headers: { ...headers, ...length }, agent: false });
    const take = (answer: { statusCode?: number; headers: Answer['headers'] }, stream: NodeJS.ReadableStream) => {
      let text = '';
      const done = () => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        outgoing.destroy();
      };
      const timer = setTimeout(() => {
        text += '\n(goes on)';
        done();
      }, TIMEOUT_MS);
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      stream.on('end', done);
      stream.on('error', done);
    };
    outgoing.on('response', (answer) => take(answer, answer));
    outgoing.on('upgrade', (answer, socket) => take(answer, socket));
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ status: 0, headers: {}, text: String(error.code) }),
    );
    outgoing.end(body);
  });
}

const LEFT_OUT = new Set([
  'date',
  'server',
  'content-length',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'builder-version',
  'x-docker-container-path-stat',
]);

function shown({ status, headers, text }: Answer, show: Show, only: string | undefined): string {
  const type = headers['content-type'] ?? 'no type';
  const head =
    show === 'headers'
      ? Object.entries(headers)
          .filter(([name]) => !LEFT_OUT.has(name))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, value]) => `\n  ${name}: ${value}`)
          .join('')
      : '';
  const stat = headers['x-docker-container-path-stat'];
  const statText = typeof stat === 'string' ? `\n  stat: ${statOf(stat)}` : '';
  return `${status} ${type}${head}${statText}${bodyOf(status, text, show, only)}`;
}

const statOf = (header: string): string =>
  Buffer.from(header, 'base64')
    .toString()
    .replace(/"(size|mtime)":[^,]*/g, '"$1":…');

function bodyOf(status: number, text: string, show: Show, only: string | undefined): string {
  if (text === '') return '';
  const values = text.trimEnd().split('\n').map(parsed);
  if (values.includes(undefined))
    return show === 'headers' && text.length > 200 ? '' : `\n${JSON.stringify(text.slice(0, 300))}`;
  if (show === 'headers') return status < 300 ? '' : `\n${JSON.stringify(values[0])}`;
  return values
    .map((value) => {
      if (status >= 300) return `\n${sorted(value)}`;
      if (only !== undefined)
        return only
          .split(' ')
          .map((path) => `\n  ${path}: ${sorted(at(value, path))}`)
          .join('');
      if (show === 'shape')
        return forms(value, '')
          .map((line) => `\n  ${line}`)
          .join('');
      if (show === 'keys')
        return `\n  ${Object.entries(value as object)
          .map(([name, item]) => `${name}:${Array.isArray(item) ? 'list' : item === null ? 'null' : typeof item}`)
          .sort()
          .join(' ')}`;
      if (show === 'count') return `\n  ${Array.isArray(value) ? value.length : sorted(value)}`;
      return `\n${sorted(value)}`;
    })
    .join('');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | null | undefined)?.[name], value);

/** JSON with the names of each object in order. */
function sorted(value: unknown): string {
  return String(
    JSON.stringify(value, (_, item: unknown) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ),
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? '[]' : 'list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '{}' : 'object';
  if (value === '') return '""';
  return typeof value;
}

/** One line a field: its path and the kind of its value. Of a list the first item speaks for all. */
function forms(value: unknown, path: string): string[] {
  const line = `${path || '.'} ${kindOf(value)}`;
  if (typeof value !== 'object' || value === null) return [line];
  if (Array.isArray(value)) return [line, ...(value.length === 0 ? [] : forms(value[0], `${path}[]`))];
  const names = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return [line, ...names.flatMap(([name, item]) => forms(item, `${path}.${name}`))];
}
