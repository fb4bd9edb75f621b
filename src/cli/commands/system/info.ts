import { dockerFunctions, execute, parseTemplate, type Template, TemplateError } from '../../../template/index.ts';
import { contextName } from '../../connection.ts';
import { errorText, started, VERSION } from '../../dispatch.ts';
import { infoText } from '../../format/info.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { GO_ARCH } from '../../go-arch.ts';
import { typed } from '../../go-types/typed.ts';
import { type CommandSpec, ExitError, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry info', "gantry info -f '{{.DriverStatus}}'"],
  flags: [INSPECT_FORMAT],
  args: noArgs,
  async run({ flags, cli }) {
    const context = contextName(cli.globals, cli.env, cli.config);
    let info: Record<string, unknown> = {};
    const failures: string[] = [];
    const ask = async (): Promise<Record<string, unknown>> => (await cli.client()).system.info();
    try {
      info = await ask().catch(async (error: unknown) => {
        if (await started(cli, error)) return ask();
        throw error;
      });
    } catch (error) {
      failures.push(errorText(error));
    }
    const client = {
      Debug: cli.globals.bool('debug'),
      Version: VERSION,
      GitCommit: VERSION,
      GoVersion: `node${process.version}`,
      Os: 'linux',
      Arch: GO_ARCH,
      BuildTime: '',
      Context: context,
      Plugins: [],
      Warnings: null,
    };
    const format = flags.text('format');
    if (format === '') {
      cli.print(infoText(info, client));
      for (const warning of (info.Warnings as string[] | null) ?? []) cli.warn(`${warning}\n`);
    } else {
      let template: Template;
      try {
        template = parseTemplate('', format === 'json' ? '{{json .}}' : format, dockerFunctions);
      } catch (error) {
        if (error instanceof TemplateError) throw new ExitError(64, `template parsing error: ${error.message}`);
        throw error;
      }
      try {
        cli.print(`${execute(template, typed('system.dockerInfo', { ...info, ClientInfo: client }))}\n`);
      } catch (error) {
        // Docker ends its line before it complains.
        if (error instanceof TemplateError) cli.print('\n');
        throw error;
      }
    }
    if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
  },
};
