import { rfc3339Nano } from '../../../common/index.ts';
import { dockerFunctions, execute, parseTemplate, TemplateError } from '../../../template/index.ts';
import type { EventMessage } from '../../../wire/index.ts';
import { filterMap } from '../../filters.ts';
import { PLAIN_FORMAT } from '../../format-flags.ts';
import { typed } from '../../go-types/typed.ts';
import { type CommandSpec, ExitError, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry events --since 10m --filter type=container'],
  flags: [
    { name: 'filter', short: 'f', type: 'filter', usage: 'Filter output based on conditions provided' },
    PLAIN_FORMAT,
    { name: 'since', type: 'string', usage: 'Show all events created since timestamp' },
    { name: 'until', type: 'string', usage: 'Stream events until this timestamp' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const given = flags.text('format');
    const print = given === '' ? plain : templated(given === 'json' ? '{{json .}}' : given);
    const client = await cli.client();
    const options = {
      since: flags.text('since') || undefined,
      until: flags.text('until') || undefined,
      filters: filterMap(flags.list('filter')),
    };
    for await (const event of client.system.events(options)) cli.print(`${print(event)}\n`);
  },
};

/** Local time with nine digits, as Docker prints events. */
function plain(event: EventMessage): string {
  const nanos = event.timeNano ? String(event.timeNano).padStart(19, '0').slice(-9) : '000000000';
  const time = new Date(event.time * 1000);
  const offset = -time.getTimezoneOffset();
  const shifted = rfc3339Nano(BigInt(event.time + offset * 60) * 1_000_000_000n).slice(0, 19);
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  const zone =
    offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const tail = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${shifted}.${nanos}${zone} ${event.Type} ${event.Action} ${event.Actor.ID}${tail}`;
}

function templated(source: string): (event: EventMessage) => string {
  try {
    const template = parseTemplate('', source, dockerFunctions);
    return (event) => {
      return execute(template, typed('events.Message', event));
    };
  } catch (error) {
    if (error instanceof TemplateError)
      throw new ExitError(64, `Error parsing format: template parsing error: ${error.message}`);
    throw error;
  }
}
