import { tabulate } from '../../format/tabwriter.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[CONTAINER] [ps OPTIONS]',
  long: 'Display the running processes of a container.\nWithout an argument: a live view of all containers with CPU, memory, network, logs, and keys to act on them.',
  examples: ['gantry top web', 'gantry top web -o pid,comm', 'gantry top'],
  flags: [],
  args: atLeast(0),
  interspersed: false,
  complete: ['running'],
  async run({ args, cli }) {
    const [name, ...options] = args;
    if (name === undefined) {
      const { runLiveView } = await import('../../live/start.ts');
      return runLiveView(cli);
    }
    const client = await cli.client();
    const { Titles, Processes } = await client.containers.top(name, options.join(' '));
    const lines = [Titles, ...(Processes ?? [])].map((cells) => cells.join('\t'));
    cli.print(`${tabulate(lines.join('\n'), 20, 3)}\n`);
    return 0;
  },
};
