import { main } from './dispatch.ts';

// A reader that went away (`gantry logs | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1));
process.stderr.on('error', () => {});
main(process.argv.slice(2), process.env).then((code) => process.exit(code));
