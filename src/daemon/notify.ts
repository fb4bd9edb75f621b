import { DgramSocket } from 'node-unix-socket';
import { type Logger, messageOf } from '../common/index.ts';

/** What systemd can be told (sd_notify(3)). */
export type ServiceState = 'ready' | 'reloading' | 'stopping';

/**
 * Tells the service manager, if there is one (`NOTIFY_SOCKET`), how the daemon is, for units of `Type=notify`.
 * A message that cannot be sent is logged: the daemon works without. The variable is taken out of `env`: a runtime
 * that inherits it would open such a socket for its container.
 */
export function openNotifier(env: NodeJS.ProcessEnv, log: Logger): (state: ServiceState) => void {
  const path = env.NOTIFY_SOCKET;
  delete env.NOTIFY_SOCKET;
  if (path === undefined || path === '') return () => {};
  return (state) => {
    try {
      if (!path.startsWith('/')) throw new Error('only sockets with a path are supported');
      send(path, message(state), (error) => log.warn('cannot notify the service manager', { path, error }));
    } catch (error) {
      log.warn('cannot notify the service manager', { path, error: messageOf(error) });
    }
  };
}

function message(state: ServiceState): string {
  if (state === 'ready') return 'READY=1';
  if (state === 'stopping') return 'STOPPING=1';
  // CLOCK_MONOTONIC, by which systemd tells this reload from an earlier one.
  return `RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`;
}

function send(path: string, text: string, failed: (error: string) => void): void {
  const socket = new DgramSocket();
  socket.on('error', () => {});
  const bytes = Buffer.from(text);
  socket.sendTo(bytes, 0, bytes.length, path, (error) => {
    socket.close();
    if (error != null) failed(messageOf(error));
  });
}
