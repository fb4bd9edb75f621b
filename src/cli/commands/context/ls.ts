import { contextName, defaultHost } from '../../connection.ts';
import { ContextStore } from '../../contexts.ts';
import { renderRows } from '../../format/rows.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE = {
  type: 'formatter.clientContextContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR' },
};

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry context ls'],
  flags: [TABLE_FORMAT, { name: 'quiet', short: 'q', type: 'bool', usage: 'Only show context names' }],
  args: noArgs,
  async run({ flags, cli }) {
    const current = contextName(cli.globals, cli.env, cli.config);
    const stored = new ContextStore(cli.config.dir).list().map((meta) => ({
      name: meta.Name,
      description: meta.Metadata.Description ?? '',
      host: meta.Endpoints.docker?.Host ?? '',
      error: '',
    }));
    const all = [
      {
        name: 'default',
        description: 'Current DOCKER_HOST based configuration',
        host: defaultHost(cli.globals, cli.env),
        error: '',
      },
      ...stored,
    ];
    if (!all.some((context) => context.name === current))
      all.push({ name: current, description: '', host: '', error: 'context not found' });
    all.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const given = flags.text('format');
    const quiet = flags.bool('quiet');
    const plain = 'table {{.Name}}{{if .Current}} *{{end}}\\t{{.Description}}\\t{{.DockerEndpoint}}\\t{{.Error}}';
    const rows = all.map((context) => ({
      Current: () => context.name === current,
      Name: () => context.name,
      Description: () => context.description,
      DockerEndpoint: () => context.host,
      Error: () => context.error,
    }));
    const format = given === '' || given === 'table' ? plain : given;
    cli.print(renderRows(quiet ? '{{.Name}}' : format, TABLE, rows));
    if (!(quiet && given === '') && current === 'default' && (cli.env.DOCKER_HOST ?? '') !== '')
      cli.warn(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n',
      );
  },
};
