import type { Cli } from '../session.ts';

/** `-o`: where the result goes. `dest` `-` is standard output. */
export type Output =
  | { type: 'image'; names: readonly string[]; push: boolean }
  | { type: 'local'; dest: string }
  | { type: 'tar' | 'oci' | 'docker'; dest: string };

const FIELDS: Record<string, readonly string[]> = {
  image: ['name', 'push'],
  registry: ['name'],
  local: ['dest'],
  tar: ['dest'],
  oci: ['dest', 'name'],
  docker: ['dest', 'name'],
};

/** Reads `type=…,dest=…` and buildx's short forms: a directory, or `-` for a tar on standard output. Throws Error. */
export function readOutput(text: string): Output {
  if (text === '-') return { type: 'tar', dest: '-' };
  if (!text.includes('=')) return { type: 'local', dest: text };
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const cut = field.indexOf('=');
    if (cut < 0) throw new Error(`invalid value ${field}`);
    fields.set(field.slice(0, cut).trim().toLowerCase(), field.slice(cut + 1));
  }
  const type = fields.get('type');
  if (type === undefined) throw new Error('type is required for output');
  fields.delete('type');
  const known = FIELDS[type];
  if (known === undefined) throw new Error(`unsupported output type ${JSON.stringify(type)}`);
  for (const name of fields.keys())
    if (!known.includes(name)) throw new Error(`unsupported option ${JSON.stringify(name)} of output type ${type}`);
  const dest = fields.get('dest');
  const names = (fields.get('name') ?? '').split(',').filter((name) => name !== '');
  if (type === 'local') {
    if (dest === undefined || dest === '') throw new Error('dest is required for local output');
    return { type, dest };
  }
  if (type === 'image' || type === 'registry' || (type === 'docker' && dest === undefined))
    return { type: 'image', names, push: type === 'registry' || fields.get('push') === 'true' };
  if (names.length > 0) throw new Error(`name the image by --tag for output type ${type}`);
  return { type: type as 'tar' | 'oci' | 'docker', dest: dest ?? '-' };
}

/** Something would be written to a terminal that is not text. */
export function refuseTerminal(outputs: readonly Output[], cli: Cli): void {
  for (const output of outputs)
    if ('dest' in output && output.dest === '-' && cli.stdout.isTTY)
      throw new Error(`dest file is required for ${output.type} exporter. refusing to write to console`);
}
