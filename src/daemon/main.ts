import { join } from 'node:path';
import { messageOf } from '../common/index.ts';
import { Daemon } from './daemon.ts';
import { parseFlags } from './flags.ts';
import { helpText } from './help.ts';
import { checkTcp } from './listen.ts';
import { openLog } from './log-sink.ts';
import { openNotifier } from './notify.ts';
import { VERSION } from './package-version.ts';
import { type Invocation, readInvocation } from './settings.ts';

/** dockerd's exit code for a command line that it does not understand. */
const USAGE = 125;

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

async function main(args: readonly string[]): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = readInvocation(args, process.env);
    checkTcp(invocation.settings);
  } catch (error) {
    const message = messageOf(error);
    const usage = /^(unknown|flag needs|gantryd takes|invalid argument)/.test(message);
    process.stderr.write(usage ? `gantryd: ${message}\nSee 'gantryd --help'.\n` : `${message}\n`);
    return usage ? USAGE : 1;
  }
  if (invocation.help) {
    process.stdout.write(helpText());
    return 0;
  }
  if (invocation.version) {
    process.stdout.write(`Gantry version ${VERSION}\n`);
    return 0;
  }
  if (invocation.validate) {
    process.stdout.write('configuration OK\n');
    return 0;
  }
  const { settings } = invocation;
  const { log, sink } = openLog(settings.logLevel, settings.logFormat);
  if (process.getuid?.() !== 0) {
    process.stderr.write('gantryd: needs to be started with root privileges\n');
    return 1;
  }
  process.on('uncaughtException', (error) => log.error('uncaught', { error, stack: error.stack }));
  process.on('unhandledRejection', (error) =>
    log.error('unhandled', { error, stack: error instanceof Error ? error.stack : undefined }),
  );
  const stop = stopSignal(log);
  const notify = openNotifier(process.env, log);
  const daemon = new Daemon({ settings, flags: parseFlags(args), env: process.env, log, sink });
  try {
    await daemon.start(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) {
      await daemon.stop().catch(() => {});
      process.exit(0);
    }
    log.error(`failed to start daemon: ${messageOf(error)}`);
    log.debug('at', { stack: error instanceof Error ? error.stack : '' });
    await daemon.stop().catch(() => {});
    process.exit(1);
  }
  process.on('SIGHUP', () => {
    notify('reloading');
    void daemon.reload().finally(() => notify('ready'));
  });
  process.on('SIGUSR1', () => writeReport(settings.execRoot, log));
  notify('ready');
  await stop.asked;
  notify('stopping');
  await daemon.stop();
  log.info('Daemon shutdown complete');
  // Threads of the archive pool and open streams must not hold up the end.
  process.exit(0);
}

/** What the process is doing, as dockerd's dump of stacks at this signal: Node's diagnostic report, without the environment (its secrets). */
function writeReport(directory: string, log: ReturnType<typeof openLog>['log']): void {
  process.report.excludeEnv = true;
  const file = process.report.writeReport(join(directory, `report-${Date.now()}.json`));
  log.info(`diagnostic report written to ${file}`);
}

/** Resolves at the first SIGTERM or SIGINT; the third ends the process on the spot, as dockerd's. */
function stopSignal(log: ReturnType<typeof openLog>['log']): { asked: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = (name: NodeJS.Signals) => {
    count++;
    log.info(`Processing signal '${name}'`);
    if (count === 1) {
      controller.abort();
      resolve();
    }
    if (count >= 3) {
      log.error('Forcing shutdown without cleanup');
      process.exit(128 + 2);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { asked: promise, signal: controller.signal };
}
