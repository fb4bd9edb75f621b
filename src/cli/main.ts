import { main } from './dispatch.ts';

// A reader that went away (`gantry logs | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1));
process.stderr.on('error', () => {});
// Left alone, Node would open a debugger.
process.on('SIGUSR1', () => {});
main(process.argv.slice(2), process.env).then(async (code) => {
  // Where the output is a socket (as of a Node parent), writes are still under way.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(code);
});

const written = (stream: NodeJS.WriteStream): Promise<void> =>
  stream.writableLength === 0 ? Promise.resolve() : new Promise((done) => stream.write('', () => done()));
