import { z } from 'zod';
import { invalid, parseTimestampNs } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import { ContainerConfig, CreateContainerBody, opt, UpdateContainerBody } from '../../wire/index.ts';
import { serveSession } from '../attach.ts';
import type { Call } from '../call.ts';
import { writeFrames } from '../frames.ts';
import { type Route, route } from '../route.ts';

/** The body of old starts (a HostConfig) and of none. */
const Anything = z.unknown();

function timeParam(call: Call, name: string): bigint | undefined {
  const text = call.text(name);
  return text === undefined || text === '0' ? undefined : parseTimestampNs(text);
}

function size(call: Call): { rows: number; columns: number } {
  const rows = call.integer('h');
  const columns = call.integer('w');
  if (rows === undefined || columns === undefined) throw invalid('strconv.Atoi: parsing "": invalid syntax');
  return { rows, columns };
}

export function containerRoutes({ containers, logs, archive }: Engine): Route[] {
  const id = (call: Call) => call.param('id');
  const stopOptions = (call: Call) => ({ timeoutS: call.integer('t'), stopSignal: call.text('signal') });

  const attach = async (call: Call) => {
    const session = await containers.attach(id(call), {
      stdin: call.flag('stdin'),
      stdout: call.flag('stdout'),
      stderr: call.flag('stderr'),
      logs: call.flag('logs'),
      stream: call.flag('stream'),
      detachKeys: call.text('detachKeys'),
    });
    await serveSession(call, session);
  };

  const readLogs = async (call: Call) => {
    const stdout = call.flag('stdout');
    const stderr = call.flag('stderr');
    if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream');
    const tail = call.text('tail');
    const { tty, output } = await logs.read(id(call), {
      follow: call.flag('follow'),
      stdout,
      stderr,
      since: timeParam(call, 'since'),
      until: timeParam(call, 'until'),
      timestamps: call.flag('timestamps'),
      details: call.flag('details'),
      tail: tail === undefined || tail === 'all' || !/^\d+$/.test(tail) ? 'all' : Number(tail),
      signal: call.signal,
    });
    call.flushHeaders(tty ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream');
    await writeFrames(call.response, output, tty);
    call.response.end();
  };

  const wait = async (call: Call) => {
    const given = call.text('condition') ?? 'not-running';
    if (given !== 'not-running' && given !== 'next-exit' && given !== 'removed') throw invalid(`invalid condition: "${given}"`);
    const { result } = await containers.wait(id(call), given, call.signal);
    call.flushHeaders('application/json');
    const answer = await result.catch((error: unknown) => {
      if (call.signal.aborted) return undefined;
      throw error;
    });
    if (answer !== undefined) call.response.end(`${JSON.stringify(answer)}\n`);
  };

  const stats = async (call: Call) => {
    const stream = call.flag('stream', true);
    const send = call.messages();
    if (stream) await containers.inspect(id(call), {});
    for await (const sample of containers.stats(id(call), { stream, oneShot: call.flag('one-shot'), signal: call.signal })) send(sample);
    call.endMessages();
  };

  const statHeader = async (call: Call) => {
    const stat = await archive.stat(id(call), required(call, 'path'));
    call.response.setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64'));
    call.empty(200);
  };

  return [
    route('GET', '/containers/json', async (call) =>
      call.json(200, await containers.list({ all: call.flag('all'), limit: call.integer('limit'), size: call.flag('size'), filters: call.filters(), before: call.text('before'), since: call.text('since') })),
    ),
    route('POST', '/containers/create', async (call) => {
      const body = await call.body(CreateContainerBody);
      call.json(201, await containers.create(body, { name: call.text('name'), platform: call.text('platform') }));
    }),
    route('GET', '/containers/:id/json', async (call) => call.json(200, await containers.inspect(id(call), { size: call.flag('size') }))),
    route('GET', '/containers/:id/top', async (call) => call.json(200, await containers.top(id(call), call.text('ps_args') ?? ''))),
    route('GET', '/containers/:id/logs', readLogs),
    route('GET', '/containers/:id/changes', async (call) => call.json(200, await containers.changes(id(call)))),
    route('GET', '/containers/:id/export', async (call) => call.stream(await containers.export(id(call), call.signal), 'application/octet-stream')),
    route('GET', '/containers/:id/stats', stats),
    route('POST', '/containers/:id/resize', async (call) => {
      await containers.resize(id(call), size(call));
      call.empty(200);
    }),
    route('POST', '/containers/:id/start', async (call) => {
      if (Number(call.request.headers['content-length'] ?? 0) > 2) {
        const body = await call.body(Anything, { optional: true });
        if (typeof body === 'object' && body !== null && Object.keys(body).length > 0 && call.atLeast('1.24')) throw invalid('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24');
      }
      await containers.start(id(call), { detachKeys: call.text('detachKeys') });
      call.empty(204);
    }),
    route('POST', '/containers/:id/stop', async (call) => {
      await containers.stop(id(call), stopOptions(call));
      call.empty(204);
    }),
    route('POST', '/containers/:id/restart', async (call) => {
      await containers.restart(id(call), stopOptions(call));
      call.empty(204);
    }),
    route('POST', '/containers/:id/kill', async (call) => {
      await containers.kill(id(call), { stopSignal: call.text('signal') });
      call.empty(204);
    }),
    route('POST', '/containers/:id/pause', async (call) => {
      await containers.pause(id(call));
      call.empty(204);
    }),
    route('POST', '/containers/:id/unpause', async (call) => {
      await containers.unpause(id(call));
      call.empty(204);
    }),
    route('POST', '/containers/:id/rename', async (call) => {
      await containers.rename(id(call), call.text('name') ?? '');
      call.empty(204);
    }),
    route('POST', '/containers/:id/update', async (call) => call.json(200, await containers.update(id(call), await call.body(UpdateContainerBody)))),
    route('POST', '/containers/:id/attach', attach),
    route('POST', '/containers/:id/wait', wait),
    route('DELETE', '/containers/:id', async (call) => {
      await containers.remove(id(call), { force: call.flag('force'), volumes: call.flag('v'), link: call.flag('link') });
      call.empty(204);
    }),
    route('POST', '/containers/prune', async (call) => call.json(200, await containers.prune(call.filters()))),
    route('HEAD', '/containers/:id/archive', statHeader),
    route('GET', '/containers/:id/archive', async (call) => {
      const { stat, tar } = await archive.get(id(call), required(call, 'path'), call.signal);
      call.response.setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64'));
      await call.stream(tar, 'application/x-tar');
    }),
    route('PUT', '/containers/:id/archive', async (call) => {
      await archive.put(id(call), required(call, 'path'), call.request, { noOverwriteDirNonDir: call.flag('noOverwriteDirNonDir'), copyUidGid: call.flag('copyUIDGID'), signal: call.signal });
      call.empty(200);
    }),
    route('POST', '/commit', async (call) => {
      const config = await call.body(opt(ContainerConfig), { optional: true });
      const changes = call.all('changes').flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '');
      const answer = await containers.commit(required(call, 'container'), {
        repo: call.text('repo'), tag: call.text('tag'), comment: call.text('comment'), author: call.text('author'), pause: call.flag('pause', true), changes, config, signal: call.signal,
      });
      call.json(201, answer);
    }),
  ];
}

function required(call: Call, name: string): string {
  const value = call.text(name);
  if (value === undefined) throw invalid(`bad parameter: '${name}' cannot be empty`);
  return value;
}
