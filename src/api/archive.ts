import { invalid } from '../common/index.ts';
import type { Engine, PathStat } from '../engine/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

export const archiveRoutes = ({ archive }: Pick<Engine, 'archive'>): Route[] => [
  route('HEAD', '/containers/{name...}/archive', async (call) => {
    call.response.setHeader(STAT_HEADER, encodeStat(await archive.stat(call.name, path(call))));
    call.empty(200);
  }),
  route('GET', '/containers/{name...}/archive', async (call) => {
    const { stat, tar } = await archive.get(call.name, path(call), call.signal);
    await call.send(tar, 'application/x-tar', { [STAT_HEADER]: encodeStat(stat) });
  }),
  route('PUT', '/containers/{name...}/archive', async (call) => {
    await archive.put(call.name, path(call), call.request, {
      noOverwriteDirNonDir: call.query.bool('noOverwriteDirNonDir'),
      copyUidGid: call.query.bool('copyUIDGID'),
      signal: call.signal,
    });
    call.empty(200);
  }),
];

const encodeStat = (stat: PathStat): string => Buffer.from(JSON.stringify(stat)).toString('base64');

function path(call: Call): string {
  const text = call.query.text('path');
  if (text === undefined) throw invalid('bad parameter: path cannot be empty');
  return text;
}
