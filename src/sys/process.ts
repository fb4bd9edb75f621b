import { constants } from 'node:os';
import { invalid } from '../common/index.ts';

const NAMES: Record<string, number> = { ...constants.signals, SIGCLD: 17, SIGPOLL: 29, SIGIO: 29, SIGSTKFLT: 16 };
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** A signal by number (1–64), name with or without SIG, or RTMIN+n / RTMAX-n (moby/sys/signal). Throws invalid. */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= SIGRTMAX) return number;
    throw invalid(`invalid signal: ${text}`);
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realtime) {
    const offset = Number(realtime[3] ?? 0);
    const number = realtime[1] === 'MIN' ? SIGRTMIN + offset : SIGRTMAX - offset;
    if (number >= SIGRTMIN && number <= SIGRTMAX) return number;
    throw invalid(`invalid signal: ${text}`);
  }
  const number = NAMES[`SIG${name}`];
  if (number === undefined) throw invalid(`invalid signal: ${text}`);
  return number;
}

/** True while the process exists and is no zombie. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
