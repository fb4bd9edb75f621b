import { readFileSync } from 'node:fs';
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

/** True while the process exists and is no zombie (proc_pid_stat(5), field 3). */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat[stat.lastIndexOf(')') + 2];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
