import { z } from 'zod';
import { invalid } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import { bool, ExecConfig, int, opt } from '../../wire/index.ts';
import { serveSession } from '../attach.ts';
import { type Route, route } from '../route.ts';

const StartBody = z.object({ Detach: bool, Tty: bool, ConsoleSize: opt(z.array(int)) });

export function execRoutes({ execs }: Engine): Route[] {
  return [
    route('POST', '/containers/:id/exec', async (call) => call.json(201, await execs.create(call.param('id'), await call.body(ExecConfig)))),
    route('POST', '/exec/:id/start', async (call) => {
      const body = await call.body(StartBody, { optional: true });
      const [rows, columns] = body.ConsoleSize ?? [];
      const session = await execs.start(call.param('id'), {
        detach: body.Detach === true,
        tty: body.Tty === true,
        ...(rows && columns ? { consoleSize: [rows, columns] as [number, number] } : {}),
      });
      if (session === undefined) call.empty(200);
      else await serveSession(call, session);
    }),
    route('POST', '/exec/:id/resize', async (call) => {
      const rows = call.integer('h');
      const columns = call.integer('w');
      if (rows === undefined || columns === undefined) throw invalid('strconv.Atoi: parsing "": invalid syntax');
      await execs.resize(call.param('id'), { rows, columns });
      call.empty(200);
    }),
    route('GET', '/exec/:id/json', async (call) => call.json(200, await execs.inspect(call.param('id')))),
  ];
}
