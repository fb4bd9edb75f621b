import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { execute } from '../support/index.ts';

/**
 * A scenario is a shell script over a Docker-like command line, `$D`. The same script runs on the reference dockerd (whose outputs are
 * recorded in `recorded/`) and on gantryd, with Docker's own CLI and with gantry; what a person or a script sees must be equal.
 *
 * `$N` is a prefix of names and `$P` a port, `$S` the first half of a subnet, unique to a run; `$IMG` an image of busybox; `$W` an empty directory of the scenario.
 */
export interface Scenario {
  name: string;
  script: string;
}

export interface Recorded {
  name: string;
  /** stdout and stderr as one text, normalised, and the exit code as its last line. */
  output: string;
}

/** Turns a table of `name: script` into scenarios. */
export const scenarios = (table: Record<string, string>): Scenario[] =>
  Object.entries(table).map(([name, script]) => ({ name, script }));

/** Ids, times, addresses and the two programs' own names become placeholders. */
export function normalise(
  text: string,
  names: { prefix: string; image: string; work: string; port: string; subnet: string },
): string {
  return text
    .replaceAll(names.image, 'IMG')
    .replaceAll(names.work, 'WORK')
    .replaceAll(names.port, 'PORT')
    .replaceAll(`${names.subnet}.`, 'SUBNET.')
    .replace(/^exit status 1\n/gm, '')
    .replace(/"Runtime":"crun"/g, '"Runtime":"runc"')
    .replaceAll(names.prefix, 'N')
    .replace(/"[^"\s]*\/volumes\//g, '"VOLUMES/')
    .replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID64')
    .replace(/\b[0-9a-f]{12}\b/g, 'ID12')
    .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{2}:?\d{2}( UTC)?|Z)?/g, 'TIME')
    .replace(/\b172\.(1[6-9]|2\d|3[01])\.\d+\.\d+/g, 'IP')
    .replace(/\b(Less than a second|About a minute|About an hour|\d+ (seconds?|minutes?|hours?))( ago)?/g, 'AGO')
    .replace(/^Error: failed to rename container named.*\n?/gm, '')
    .replace(/'gantry /g, "'docker ")
    .replace(/^gantry: /gm, 'docker: ')
    .replace(/\bgantry (run|create|exec|ps|rm|build|images|--help)/g, 'docker $1')
    .trimEnd();
}

let counter = 0;

/** Runs one scenario in a directory of its own and returns what it showed. Containers and networks named `$N…` are removed afterwards. */
export async function play(
  scenario: Scenario,
  target: { cli: string; host: string; image: string; work: string; env?: Record<string, string> },
): Promise<string> {
  const prefix = `cf${process.pid.toString(36)}x${(counter++).toString(36)}y`;
  const work = `${target.work}/${prefix}`;
  const subnet = `10.${40 + ((process.pid * 7 + counter) % 150)}`;
  const port = String(20_000 + ((process.pid * 131 + counter * 7) % 12_000));
  const env = {
    D: target.cli,
    N: prefix,
    IMG: target.image,
    W: work,
    P: port,
    S: subnet,
    DOCKER_HOST: target.host,
    DOCKER_BUILDKIT: '0',
    DOCKER_CONFIG: `${work}/.config`,
    DOCKER_CLI_HINTS: 'false',
    GANTRY_NO_AUTOSTART: '1',
    NO_COLOR: '1',
    TZ: 'UTC',
    ...target.env,
  };
  const script = `mkdir -p $W/.config; cd $W; exec 2>&1\n${scenario.script}\necho "exit $?"`;
  const outcome = await execute('sh', ['-c', script], { env, timeoutMs: 600_000 });
  await removeNamed(target.host, prefix);
  await rm(work, { recursive: true, force: true });
  return normalise(outcome.stdout + outcome.stderr, { prefix, image: target.image, work, port, subnet });
}

/** A call to an engine's API; its JSON, or undefined. */
function call(host: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const outgoing = request({ socketPath: host.replace('unix://', ''), method, path: `/v1.44${path}` }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch {
          resolve(undefined);
        }
      });
    });
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
  });
}

/** Removes what a scenario made, by its prefix: containers, then volumes and networks. */
export async function removeNamed(host: string, prefix: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ name: [prefix] }));
  const containers = (await call(host, 'GET', `/containers/json?all=1&filters=${filters}`)) as
    | { Id: string }[]
    | undefined;
  for (const { Id } of containers ?? []) await call(host, 'DELETE', `/containers/${Id}?force=1&v=1`);
  const volumes = (await call(host, 'GET', `/volumes?filters=${filters}`)) as
    | { Volumes: { Name: string }[] | null }
    | undefined;
  for (const { Name } of volumes?.Volumes ?? []) await call(host, 'DELETE', `/volumes/${Name}?force=1`);
  const networks = (await call(host, 'GET', `/networks?filters=${filters}`)) as { Id: string }[] | undefined;
  for (const { Id } of networks ?? []) await call(host, 'DELETE', `/networks/${Id}`);
}
