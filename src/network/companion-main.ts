import { Companion } from './companion.ts';

/** `companion SOCKET`: started by gantryd, in a session of its own. */
const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: companion SOCKET\n');
  process.exit(2);
}
// What gantryd is sent by a terminal or by systemd is not meant for the process that outlives it.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
const companion = new Companion(path, () => process.exit(0));
process.on('SIGTERM', () => companion.close());
await companion.open();
