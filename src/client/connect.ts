import net from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Endpoint, TlsMaterial } from './types.ts';

/** The daemon ends its side of a hijacked connection when it likes; ours stays open for what is still to be sent. */
const HALF_OPEN = { allowHalfOpen: true };

/** Opens a byte stream to a daemon. */
export async function connect(endpoint: Endpoint, tls?: TlsMaterial): Promise<Duplex> {
  if (endpoint.kind === 'ssh') return connectSsh(endpoint);
  if (endpoint.kind === 'unix') return net.connect({ path: endpoint.path, ...HALF_OPEN });
  if (!tls && !endpoint.url.startsWith('https:'))
    return net.connect({ host: endpoint.host, port: endpoint.port, noDelay: true, ...HALF_OPEN });
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
    ...HALF_OPEN,
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
  // Where no answer came, the end of the program tells why, a moment after the end of its output.
  let answered = false;
  child.stdout.once('data', () => {
    answered = true;
  });
  const stream = joined(child.stdout, child.stdin, () => answered && stream.push(null));
  child.on('error', (error: NodeJS.ErrnoException) =>
    stream.destroy(error.code === 'ENOENT' ? new Error('ssh is not in the path: install an SSH client') : error),
  );
  child.on('close', (code) => {
    if (code !== 0)
      stream.destroy(
        new Error(
          `command [ssh ${args.join(' ')} -- ${endpoint.host}] has exited with exit status ${code}: ${complaint.trim()}\nSee whether 'ssh ${endpoint.host}' works, and whether gantry or docker is in the path there`,
        ),
      );
    else if (!answered) stream.push(null);
  });
  stream.on('close', () => child.kill());
  return stream;
}

const brokenPipe = (error: NodeJS.ErrnoException | null | undefined): boolean => error?.code === 'EPIPE';

/** One duplex of a readable and a writable half. */
function joined(readable: Readable, writable: Writable, ended: () => void): Duplex {
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => readable.resume(),
    // A pipe that nobody reads any more is no answer: the end of the program is.
    write: (chunk: Buffer, _encoding, done) =>
      writable.write(chunk, (error) => {
        if (!brokenPipe(error)) done(error);
      }),
    final: (done) => writable.end(() => done()),
  });
  readable.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) readable.pause();
  });
  readable.on('end', ended);
  readable.on('error', (error) => stream.destroy(error));
  writable.on('error', (error) => {
    if (!brokenPipe(error)) stream.destroy(error);
  });
  return stream;
}
