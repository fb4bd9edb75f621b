import assert from 'node:assert/strict';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { TestDaemon } from '../support/index.ts';

/** What a program does with dockerode, the client of most Node programs, done against gantryd. */
describe('dockerode', () => {
  let daemon: TestDaemon;
  let docker: Docker;
  before(async () => {
    daemon = await TestDaemon.start();
    docker = new Docker({ socketPath: daemon.socket });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  /** stdout and stderr of a framed stream, to its end. */
  async function demultiplexed(stream: NodeJS.ReadableStream): Promise<[stdout: string, stderr: string]> {
    const [out, err] = [new PassThrough(), new PassThrough()];
    docker.modem.demuxStream(stream, out, err);
    stream.on('end', () => {
      out.end();
      err.end();
    });
    stream.on('close', () => {
      out.end();
      err.end();
    });
    return Promise.all([text(out), text(err)]);
  }

  it('pings, negotiates and reads info', async () => {
    assert.equal(String(await docker.ping()), 'OK');
    assert.equal((await docker.version()).ApiVersion, '1.51');
    assert.equal((await docker.info()).OSType, 'linux');
  });

  it('runs a container with its output on two streams', async () => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const both = Promise.all([text(out), text(err)]);
    const [result, container] = (await docker.run(
      'busybox',
      ['sh', '-c', 'echo out; echo err >&2; exit 3'],
      [out, err],
      { Tty: false },
    )) as [{ StatusCode: number }, Docker.Container];
    out.end();
    err.end();
    assert.equal(result.StatusCode, 3);
    await container.remove();
    assert.deepEqual(await both, ['out\n', 'err\n']);
  });

  it('attaches with input that ends', async () => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'cat; echo end'],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const output = demultiplexed(stream);
    await container.start();
    stream.write('line\n');
    stream.end();
    assert.deepEqual(await output, ['line\nend\n', '']);
    assert.equal((await container.wait()).StatusCode, 0);
    await container.remove();
  });

  it('attaches without leaving HTTP, on a connection that carried other requests', async () => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sh'], OpenStdin: true });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true });
    const output = demultiplexed(stream);
    await container.start();
    stream.write('echo it is $((40 + 2)); exit 5\n');
    assert.equal((await container.wait()).StatusCode, 5);
    assert.deepEqual(await output, ['it is 42\n', '']);
    await container.remove();
  });

  it('resizes the terminal of an exec as soon as its start is answered', async () => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'] });
    await container.start();
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'read line; stty size'],
      AttachStdin: true,
      AttachStdout: true,
      Tty: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    await exec.resize({ h: 11, w: 22 });
    stream.write('\n');
    assert.match(await text(stream as unknown as Readable), /11 22\r\n$/);
    await container.remove({ force: true });
  });

  it('runs without a limit of processes, and takes one away', async () => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      HostConfig: { PidsLimit: -1 },
    });
    await container.start();
    await container.update({ PidsLimit: 50 });
    await container.update({ PidsLimit: -1 });
    assert.equal((await container.inspect()).HostConfig.PidsLimit, 0);
    await container.remove({ force: true });
  });

  it('executes with and without a terminal, and inspects the exit code', async () => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'] });
    await container.start();
    for (const Tty of [false, true]) {
      const exec = await container.exec({
        Cmd: ['sh', '-c', 'read line; echo got $line; exit 4'],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty,
      });
      const stream = await exec.start({ hijack: true, stdin: true, Tty });
      const output = Tty ? text(stream as unknown as Readable) : demultiplexed(stream).then(([out]) => out);
      stream.write('it\n');
      assert.match(await output, /got it\r?\n$/);
      assert.equal((await exec.inspect()).ExitCode, 4);
    }
    const plain = await container.exec({ Cmd: ['echo', 'plain'], AttachStdout: true });
    assert.deepEqual(await demultiplexed(await plain.start({})), ['plain\n', '']);
    await container.remove({ force: true });
  });

  it('follows logs to the end of the container', async () => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'echo first; sleep 0.3; echo second >&2'],
    });
    await container.start();
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    assert.deepEqual(await demultiplexed(stream), ['first\n', 'second\n']);
    await container.remove();
  });

  it('copies archives in and out', async () => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['true'],
      // A file that is mounted, as Compose mounts configs and secrets.
      HostConfig: { Binds: ['/etc/hostname:/run/secrets/name:ro'] },
    });
    const archive = pack();
    archive.entry({ name: 'greeting', mode: 0o600 }, 'hello');
    archive.finalize();
    await container.putArchive(archive as unknown as NodeJS.ReadableStream, { path: '/tmp' });
    const back = await text((await container.getArchive({ path: '/tmp/greeting' })) as unknown as Readable);
    assert.match(back, /^greeting/);
    assert.match(back, /hello/);
    await container.remove();
  });

  it('builds, follows the progress, and removes the image', async () => {
    const context = pack();
    context.entry({ name: 'Dockerfile' }, 'FROM busybox\nRUN echo built > /f\nCMD ["cat","/f"]\n');
    context.finalize();
    const stream = await docker.buildImage(context as unknown as NodeJS.ReadableStream, { t: 'made:here' });
    const messages = await new Promise<{ stream?: string; error?: string }[]>((resolve, reject) =>
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))),
    );
    assert.equal(
      messages.find(({ error }) => error !== undefined),
      undefined,
    );
    const out = new PassThrough();
    const output = text(out);
    const [, made] = (await docker.run('made:here', [], out, { Tty: true })) as [unknown, Docker.Container];
    out.end();
    assert.equal(await output, 'built\r\n');
    await made.remove();
    await docker.getImage('made:here').remove();
  });

  it('makes and removes networks and volumes, and lists with filters', async () => {
    const network = await docker.createNetwork({ Name: 'ode', Labels: { a: 'b' } });
    await docker.createVolume({ Name: 'ode', Labels: { a: 'b' } });
    assert.deepEqual(
      (await docker.listNetworks({ filters: { label: ['a=b'] } })).map(({ Name }) => Name),
      ['ode'],
    );
    assert.deepEqual(
      (await docker.listVolumes({ filters: { label: ['a=b'] } })).Volumes.map(({ Name }) => Name),
      ['ode'],
    );
    await network.remove();
    await docker.getVolume('ode').remove();
  });

  it('gets events and statistics as streams of objects', async () => {
    const stream = (await docker.getEvents({
      filters: { event: ['create', 'start', 'die'], container: ['watched'] },
    })) as unknown as Readable;
    const seen: string[] = [];
    const complete = new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        for (const line of String(chunk).trim().split('\n')) seen.push((JSON.parse(line) as { Action: string }).Action);
        if (seen.includes('die')) resolve();
      });
    });
    const container = await docker.createContainer({ Image: 'busybox', name: 'watched', Cmd: ['sleep', '1000'] });
    await container.start();
    const stats = await container.stats({ stream: false });
    assert.ok(stats.memory_stats !== undefined && stats.cpu_stats.cpu_usage.total_usage > 0);
    await container.kill();
    await complete;
    assert.deepEqual(seen, ['create', 'start', 'die']);
    stream.destroy();
    await container.remove({ force: true });
  });

  it('gets errors with their status and message', async () => {
    await assert.rejects(docker.getContainer('nope').inspect(), {
      statusCode: 404,
      json: { message: 'No such container: nope' },
    });
    await assert.rejects(docker.createContainer({ Image: 'nosuchimage' }), { statusCode: 404 });
  });
});
