import type { Cli } from '../session.ts';
import { enterRawMode } from './raw-mode.ts';

/** Asks for a line that is not shown. Ctrl-C ends the program with the terminal restored. */
export function readSecret(cli: Cli, prompt: string): Promise<string> {
  const { stdin } = cli;
  // Before the prompt: what is typed as soon as it shows is hidden, too.
  const restore = enterRawMode(cli);
  cli.print(prompt);
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      stdin.off('data', take);
      stdin.off('end', done);
      stdin.pause();
      restore();
      cli.print('\n');
      resolve(text);
    };
    const take = (chunk: Buffer): void => {
      for (const char of chunk.toString()) {
        if (char === '\r' || char === '\n' || char === '\x04') {
          done();
          return;
        }
        if (char === '\x03') {
          restore();
          cli.print('\n');
          process.exit(130);
        }
        if (char === '\x7f' || char === '\b') text = [...text].slice(0, -1).join('');
        else if (char === '\x15') text = '';
        else if (char >= ' ') text += char;
      }
    };
    stdin.on('data', take);
    stdin.on('end', done);
    stdin.resume();
  });
}
