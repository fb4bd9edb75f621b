import { contextName, defaultHost } from '../../connection.ts';
import { ContextStore } from '../../contexts.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  examples: ["gantry context inspect -f '{{.Endpoints.docker.Host}}' far"],
  flags: [INSPECT_FORMAT],
  args: atLeast(0),
  complete: ['contexts'],
  async run({ args, flags, cli }) {
    const names = args.length > 0 ? args : [contextName(cli.globals, cli.env, cli.config)];
    const store = new ContextStore(cli.config.dir);
    // Go's encoder escapes the angle brackets of "<IN MEMORY>".
    const escaped = (text: string): string =>
      text.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
    await inspectAll(cli, names, flags.text('format'), 'context.contextWithTLSListing', async (name) => {
      if (name === 'default')
        return escaped(
          JSON.stringify({
            Name: name,
            Metadata: {},
            Endpoints: { docker: { Host: defaultHost(cli.globals, cli.env), SkipTLSVerify: false } },
            TLSMaterial: {},
            Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
          }),
        );
      const meta = store.get(name);
      const files = Object.keys(store.tls(name));
      return escaped(
        JSON.stringify({
          Name: meta.Name,
          Metadata: meta.Metadata,
          Endpoints: meta.Endpoints,
          TLSMaterial: files.length > 0 ? { docker: files } : {},
          Storage: { MetadataPath: store.metaPath(name), TLSPath: store.tlsPath(name) },
        }),
      );
    });
  },
};
