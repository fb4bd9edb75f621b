import { Transform, type Writable } from 'node:stream';
import { type Client, demultiplex, type LogOptions, write } from '../../../client/index.ts';
import { LineSplitter } from '../../lines.ts';
import type { Cli } from '../../session.ts';
import { atLeast, type Call, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  long: "Fetch the logs of a container.\nOf several, each line is led by its container's name.",
  examples: ['gantry logs -f --tail 100 web', 'gantry logs -f web db'],
  flags: [
    { name: 'details', type: 'bool', usage: 'Show extra details provided to logs' },
    { name: 'follow', short: 'f', type: 'bool', usage: 'Follow log output' },
    {
      name: 'since',
      type: 'string',
      usage: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    {
      name: 'tail',
      short: 'n',
      type: 'string',
      usage: 'Number of lines to show from the end of the logs (default "all")',
      default: 'all',
    },
    { name: 'timestamps', short: 't', type: 'bool', usage: 'Show timestamps' },
    {
      name: 'until',
      type: 'string',
      usage: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  ],
  args: atLeast(1),
  complete: ['containers'],
  run,
};

async function run({ args, flags, cli }: Call): Promise<void> {
  const client = await cli.client();
  const options: LogOptions = {
    stdout: true,
    stderr: true,
    follow: flags.bool('follow'),
    timestamps: flags.bool('timestamps'),
    details: flags.bool('details'),
    since: flags.text('since'),
    until: flags.text('until'),
    tail: flags.text('tail'),
  };
  if (args.length === 1) return copyLogs(client, args[0]!, options, cli.stdout, cli.stderr);
  const width = Math.max(...args.map((name) => name.length));
  await Promise.all(
    args.map((name, index) => {
      const [out, err] = [cli.stdout, cli.stderr].map((stream) =>
        withPrefix(cli, stream, name.padEnd(width), index),
      ) as [Writable, Writable];
      return copyLogs(client, name, options, out, err).finally(() => {
        out.end();
        err.end();
      });
    }),
  );
}

async function copyLogs(
  client: Client,
  name: string,
  options: LogOptions,
  stdout: Writable,
  stderr: Writable,
): Promise<void> {
  const answer = await client.containers.logs(name, options);
  const type = answer.headers['content-type'];
  const framed =
    type === 'application/vnd.docker.multiplexed-stream' ||
    (type !== 'application/vnd.docker.raw-stream' && !(await client.containers.inspect(name)).Config.Tty);
  if (framed) return demultiplex(answer.body, stdout, stderr);
  for await (const chunk of answer.body) await write(stdout, chunk as Buffer);
}

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Leads each line by a name, coloured where colours are seen. */
function withPrefix(cli: Cli, target: NodeJS.WriteStream, name: string, index: number): Writable {
  const plain = `${name} | `;
  const lead = cli.colours(target) ? `\x1b[${COLOURS[index % COLOURS.length]}m${plain}\x1b[0m` : plain;
  const splitter = new LineSplitter();
  const led = (found: string[]): string => found.map((line) => `${lead}${line}\n`).join('');
  const lines = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, led(splitter.feed(chunk))),
    flush: (done) => done(null, led(splitter.end())),
  });
  lines.on('data', (chunk: Buffer) => {
    if (!target.write(chunk)) {
      lines.pause();
      target.once('drain', () => lines.resume());
    }
  });
  return lines;
}
