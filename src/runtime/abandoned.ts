import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../common/index.ts';

const POLL_MS = 5;
const PATIENCE_MS = 2000;

/** Processes whose command line names the bundle: its conmon, and the runtime that conmon runs. */
async function processesOf(bundle: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words.includes(bundle)) found.push(Number(name));
  }
  return found;
}

/**
 * Waits for the processes of a bundle to end, and kills those that do not within `patienceMs` (0: at once). What they would still write, a
 * late pid or exit code, must not be taken for the next run's.
 */
export async function endProcessesOf(bundle: string, patienceMs = PATIENCE_MS): Promise<void> {
  const killAfter = Date.now() + patienceMs;
  for (;;) {
    const left = await processesOf(bundle);
    if (left.length === 0) return;
    if (Date.now() >= killAfter)
      for (const pid of left)
        try {
          process.kill(pid, 'SIGKILL');
        } catch (error) {
          if (!isErrno(error, 'ESRCH')) throw error;
        }
    await sleep(POLL_MS);
  }
}
