import type { VersionAnswer } from '../../client/index.ts';
import { dockerFunctions, execute, parseTemplate, type Template, TemplateError } from '../../template/index.ts';
import { contextName } from '../connection.ts';
import { errorText, started, VERSION } from '../dispatch.ts';
import { tabulate } from '../format/tabwriter.ts';
import { INSPECT_FORMAT } from '../format-flags.ts';
import { GO_ARCH } from '../go-arch.ts';
import { typed } from '../go-types/typed.ts';
import type { Cli } from '../session.ts';
import { type CommandSpec, ExitError, noArgs } from '../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry version', "gantry version -f '{{.Server.Version}}'"],
  flags: [INSPECT_FORMAT],
  args: noArgs,
  async run({ flags, cli }) {
    const format = flags.text('format');
    let template: Template | undefined;
    try {
      template =
        format === ''
          ? undefined
          : parseTemplate('version', format === 'json' ? '{{json .}}' : format, dockerFunctions);
    } catch (error) {
      throw new ExitError(64, `template parsing error: ${(error as Error).message}`);
    }
    let server: VersionAnswer | null = null;
    let failure: unknown;
    const api = (await import('../../client/index.ts')).API_VERSION;
    const ask = async (): Promise<VersionAnswer> => (await cli.client()).system.version();
    try {
      server = await ask().catch(async (error: unknown) => {
        if (await started(cli, error)) return ask();
        throw error;
      });
    } catch (error) {
      failure = error;
    }
    const client = clientVersion(cli, api);
    if (template) {
      try {
        cli.print(`${execute(template, typed('system.versionInfo', { Client: client, Server: server }))}\n`);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        // Docker ends its line before it complains.
        cli.print('\n');
        // That no daemon answered is the reason for what the template misses.
        if (failure === undefined) throw new ExitError(1, error.message);
      }
    } else cli.print(versionText(client, server));
    if (failure !== undefined) throw new ExitError(1, errorText(failure));
  },
};

interface ClientVersion {
  Version: string;
  ApiVersion: string;
  DefaultAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  BuildTime: string;
  Context: string;
}
function clientVersion(cli: Cli, api: string): ClientVersion {
  return {
    Version: VERSION,
    ApiVersion: cli.connection.version ?? api,
    DefaultAPIVersion: api,
    GitCommit: VERSION,
    GoVersion: `node${process.version}`,
    Os: process.platform,
    Arch: GO_ARCH,
    BuildTime: '',
    Context: contextName(cli.globals, cli.env, cli.config),
  };
}

function versionText(client: ClientVersion, server: VersionAnswer | null): string {
  const rows = [
    'Client:',
    ` Version:\t${client.Version}`,
    ` API version:\t${client.ApiVersion}`,
    ` Node version:\t${process.version}`,
    ` OS/Arch:\t${client.Os}/${client.Arch}`,
    ` Context:\t${client.Context}`,
  ];
  if (server) {
    rows.push('', `Server:${server.Platform?.Name ? ` ${server.Platform.Name}` : ''}`);
    for (const { Name, Version, Details = {} } of server.Components ?? []) {
      rows.push(` ${Name}:`, `  Version:\t${Version}`);
      if (Name === 'Engine') {
        rows.push(
          `  API version:\t${Details.ApiVersion} (minimum version ${Details.MinAPIVersion})`,
          `  Go version:\t${Details.GoVersion}`,
          `  Git commit:\t${Details.GitCommit}`,
          `  Built:\t${Details.BuildTime}`,
          `  OS/Arch:\t${Details.Os}/${Details.Arch}`,
          `  Experimental:\t${Details.Experimental}`,
        );
      } else for (const key of Object.keys(Details).toSorted()) rows.push(`  ${key}:\t${Details[key]}`);
    }
  }
  return `${tabulate(rows.join('\n'), 20, 1)}\n`;
}
