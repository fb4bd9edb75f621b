import type { Cli } from '../session.ts';

/** Asks; true for y or yes. Without an answer (end of input) it is no. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  cli.print(`${question} [y/N] `);
  const answer = (await readLine(cli)) ?? '';
  return answer === 'y' || answer === 'Y';
}

/** One line of standard input, without its end; undefined at the end of input. */
export function readLine(cli: Cli): Promise<string | undefined> {
  const { stdin } = cli;
  return new Promise((resolve) => {
    let text = '';
    const done = (line: string | undefined): void => {
      stdin.off('data', take);
      stdin.off('end', end);
      stdin.pause();
      resolve(line);
    };
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      const cut = text.indexOf('\n');
      if (cut < 0) return;
      const rest = Buffer.from(text.slice(cut + 1));
      done(text.slice(0, cut).replace(/\r$/, ''));
      if (rest.length > 0) stdin.unshift(rest);
    };
    const end = (): void => done(text === '' ? undefined : text);
    stdin.on('data', take);
    stdin.on('end', end);
    stdin.resume();
  });
}
