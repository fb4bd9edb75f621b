import { runChecks } from '../../doctor/checks.ts';
import { type CommandSpec, ExitError, noArgs } from '../../spec.ts';

const MARKS = { good: ['ok', 32], warning: ['warn', 33], bad: ['FAIL', 31] } as const;

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry system doctor'],
  flags: [{ name: 'format', type: 'string', usage: "'json' prints the findings as JSON" }],
  args: noArgs,
  async run({ flags, cli }) {
    const format = flags.text('format');
    if (format !== '' && format !== 'json')
      throw new Error(`unknown format ${JSON.stringify(format)}: only "json" is known`);
    const findings = await runChecks(cli);
    if (format === 'json') cli.print(`${JSON.stringify(findings)}\n`);
    else
      for (const { name, state, text, advice } of findings) {
        const [word, colour] = MARKS[state];
        const mark = word.padEnd(4);
        cli.print(
          `${cli.colours(cli.stdout) ? `\x1b[${colour}m${mark}\x1b[0m` : mark}  ${name}: ${text}\n${advice === undefined ? '' : `      → ${advice}\n`}`,
        );
      }
    if (findings.some(({ state }) => state === 'bad')) throw new ExitError(1);
  },
};
