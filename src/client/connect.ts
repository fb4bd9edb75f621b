import net from 'node:net';
import { Duplex } from 'node:stream';
import type { Endpoint, TlsMaterial } from './types.ts';

/** Opens a byte stream to a daemon. */
export async function connect(endpoint: Endpoint, tls?: TlsMaterial): Promise<Duplex> {
  if (endpoint.kind === 'ssh') return connectSsh(endpoint);
  if (endpoint.kind === 'unix') return net.connect({ path: endpoint.path, allowHalfOpen: true });
  if (!tls && !endpoint.url.startsWith('https:'))
    return net.connect({ host: endpoint.host, port: endpoint.port, allowHalfOpen: true, noDelay: true });
  const { connect: connectTls } = await import('node:tls');
  const options = tls ?? { verify: true };
  return connectTls({
    host: endpoint.host,
    port: endpoint.port,
    ...(net.isIP(endpoint.host) ? {} : { servername: endpoint.host }),
    ca: options.ca,
    cert: options.cert,
    key: options.key,
    rejectUnauthorized: options.verify,
    allowHalfOpen: true,
  });
}

/** The remote side is Docker's own `system dial-stdio`, or Gantry's where that is installed (docker/cli connhelper). */
async function connectSsh(endpoint: Extract<Endpoint, { kind: 'ssh' }>): Promise<Duplex> {
  const { spawn } = await import('node:child_process');
  const host = endpoint.path === undefined ? '' : ` --host unix://${endpoint.path}`;
  const remote = `if command -v gantry >/dev/null 2>&1; then exec gantry${host} system dial-stdio; else exec docker${host} system dial-stdio; fi`;
  if (/[^\w/.\-~:]/.test(endpoint.path ?? ''))
    throw new Error(`invalid SSH URL: unexpected character in path ${endpoint.path}`);
  const args = ['-o', 'ConnectTimeout=30', '-T'];
  if (endpoint.user !== undefined) args.push('-l', endpoint.user);
  if (endpoint.port !== undefined) args.push('-p', String(endpoint.port));
  const child = spawn('ssh', [...args, '--', endpoint.host, remote], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => stream.destroy(error));
  child.on('close', (code) => {
    if (code !== 0)
      stream.destroy(
        new Error(
          `command [ssh ${args.join(' ')} -- ${endpoint.host}] has exited with exit status ${code}: ${complaint.trim()}`,
        ),
      );
  });
  stream.on('close', () => child.kill());
  return stream;
}
