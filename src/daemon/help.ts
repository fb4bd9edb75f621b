import { OPTIONS, type OptionKind } from './options.ts';

const TYPES: Record<OptionKind, string> = {
  bool: '',
  int: 'int',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  json: '',
};

/** `--help`. Options that are refused are left out; the error names them. */
export function helpText(): string {
  const rows = OPTIONS.filter(({ flag, refused }) => flag !== undefined && refused === undefined).map((spec) => {
    const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
    const name = `${short}--${spec.flag} ${TYPES[spec.kind]}`.trimEnd();
    return [
      `  ${name}`,
      spec.default === undefined ? spec.help : `${spec.help} (default ${JSON.stringify(spec.default)})`,
    ] as const;
  });
  const width = Math.max(...rows.map(([name]) => name.length)) + 3;
  const lines = rows.map(([name, help]) => `${name.padEnd(width)}${help}`);
  return `\nUsage:\tgantryd [OPTIONS]\n\nA container engine that speaks the Docker Engine API.\n\nOptions:\n${lines.join('\n')}\n`;
}
