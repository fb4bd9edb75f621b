import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { debianFixture } from './image-fixtures.ts';
import { inTurns, median, type Row } from './measure.ts';

const RUNS = Number(process.env.BENCH_BUILD_RUNS ?? 3);
const STEPS = 20;
const LARGE_FILES = 16;
const LARGE_MB = Number(process.env.BENCH_BUILD_LARGE_MB ?? 1024);

type Build = (context: string) => Promise<void>;

/** Writes a build's context; `salt` is the builder's own, so that no builder answers from what another one left in the engine they share. */
type Prepare = (context: string, salt: string) => void;

/**
 * Builds: 20 steps cold, cached, and with one file changed before the last; a large context that stays as it is; four stages that
 * only wait. Every engine is driven by Docker's classic client, Gantry by its own too, and the peers by buildx where Docker's command line has it.
 * What a peer kept of the same base from earlier runs (its build cache too) makes the images suite's loads of it nothing: prune first. The base is a minimal Debian where mmdebstrap is there, else busybox; every engine has it as `bench-base`.
 * Other builders are given in BENCH_BUILDERS, `name=command {}` separated by `;`, where `{}` is the context's path, below BENCH_ROOT
 * without it (for a command that changes its root there). They have to know `bench-base` themselves.
 */
export async function builds(engines: readonly BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const root = process.env.BENCH_ROOT ?? '';
  const scratch = mkdtempSync(join(root === '' ? tmpdir() : join(root, 'tmp'), 'gt-builds-'));
  const debian = await debianFixture();
  for (const engine of engines) {
    if (debian === undefined) await engine.docker('tag', 'busybox', 'bench-base');
    else await engine.docker('tag', loadedName(await engine.docker('load', '-i', debian.archive)), 'bench-base');
  }
  const builders = new Map<string, Build>([
    ['gantry', async (context) => void (await gantry.ok('build', '-q', context))],
    ...engines.map(({ name, docker }): [string, Build] => [
      `${name} by docker`,
      async (context) => void (await docker('build', '-q', context)),
    ]),
    ...(await buildxBuilders(engines.slice(1))),
    ...otherBuilders(root),
  ]);
  try {
    return await measure(builders, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    for (const engine of engines) await engine.docker('rmi', 'bench-base');
  }
}

async function buildxBuilders(engines: readonly BenchEngine[]): Promise<[string, Build][]> {
  if ((await execute('docker', ['buildx', 'version'])).code !== 0) return [];
  return engines.map(({ name, host }) => {
    const build: Build = async (context) => {
      const env = { DOCKER_HOST: host };
      const { code, stderr } = await execute('docker', ['buildx', 'build', '-q', context], { env, timeoutMs: 600_000 });
      if (code !== 0) throw new Error(`${name} by buildx: ${stderr}`);
    };
    return [`${name} by buildx`, build];
  });
}

const loadedName = (text: string): string => /Loaded image(?: ID)?: (\S+)/.exec(text)?.[1] ?? text;

function otherBuilders(root: string): [string, Build][] {
  return (process.env.BENCH_BUILDERS ?? '').split(';').flatMap((text): [string, Build][] => {
    const cut = text.indexOf('=');
    if (cut < 0) return [];
    const [command = '', ...args] = text
      .slice(cut + 1)
      .trim()
      .split(/\s+/);
    const build: Build = async (context) => {
      const own = args.map((arg) => arg.replace('{}', context.slice(root.length)));
      const { code, stderr } = await execute(command, own, { timeoutMs: 600_000 });
      if (code !== 0) throw new Error(`${text}: ${stderr}`);
    };
    return [[text.slice(0, cut).trim(), build]];
  });
}

async function measure(builders: ReadonlyMap<string, Build>, scratch: string): Promise<Row[]> {
  const rows: Row[] = [];
  let round = 0;
  /** `prepare` writes the context before each build; what it takes is not measured. */
  const row = async (what: string, prepare: Prepare, warmUp: number): Promise<void> => {
    const contexts = new Map([...builders.keys()].map((name) => [name, mkdtempSync(join(scratch, 'c-'))]));
    const salts = new Map([...builders.keys()].map((name, at) => [name, `${process.pid}-${at}`]));
    const measured: Record<string, number[]> = {};
    for (let run = -warmUp; run < RUNS; run++) {
      round++;
      for (const [name, context] of contexts) prepare(context, salts.get(name)!);
      const bodies = [...builders].map(([name, build]) => [name, () => build(contexts.get(name)!)]);
      const times = await inTurns(1, Object.fromEntries(bodies), 0);
      if (run >= 0)
        for (const [name, [ms = 0]] of Object.entries(times)) measured[name] = [...(measured[name] ?? []), ms];
    }
    for (const context of contexts.values()) rmSync(context, { recursive: true });
    const values = Object.fromEntries(Object.entries(measured).map(([name, list]) => [name, median(list)]));
    rows.push({ suite: 'builds', what, unit: 'ms', values, runs: RUNS });
  };
  const echoes = (salt: string): string[] => Array.from({ length: STEPS }, (_, index) => `RUN echo ${salt}-${index}`);
  const write = (context: string, lines: readonly string[]): void =>
    writeFileSync(join(context, 'Dockerfile'), ['FROM bench-base', ...lines].join('\n'));

  await row(`${STEPS} steps, cold`, (context, salt) => write(context, echoes(`${salt}-${round}`)), 0);
  await row(`${STEPS} steps, cached`, (context, salt) => write(context, echoes(`${salt}-same`)), 1);
  await row(
    `${STEPS} steps, a file changed before the last`,
    (context, salt) => {
      writeFileSync(join(context, 'changing'), `${salt}-${round}`);
      write(context, [...echoes(`${salt}-same`).slice(1), 'COPY changing /', 'RUN cat /changing']);
    },
    1,
  );
  const writeLarge: Prepare = (context, salt) => {
    mkdirSync(join(context, 'large'), { recursive: true });
    for (let at = 0; at < LARGE_FILES; at++)
      writeFileSync(join(context, `large/${at}`), Buffer.alloc((LARGE_MB / LARGE_FILES) * 2 ** 20, at + 1));
    write(context, [`LABEL salt=${salt}`, 'COPY large /large']);
  };
  await row(
    `a context of ${LARGE_MB} MB, unchanged`,
    (context, salt) => {
      if (!existsSync(join(context, 'large'))) writeLarge(context, salt);
    },
    1,
  );
  // As a fresh checkout: times change, bytes do not.
  await row(`a context of ${LARGE_MB} MB, written anew`, writeLarge, 1);
  await row(
    'four stages of sleep 2',
    (context, salt) => {
      const stages = [1, 2, 3, 4].map((n) => `FROM bench-base AS s${n}\nRUN sleep 2; echo ${salt}-${round} > /${n}`);
      const copies = [1, 2, 3, 4].map((n) => `COPY --from=s${n} /${n} /`);
      writeFileSync(join(context, 'Dockerfile'), [...stages, 'FROM bench-base', ...copies].join('\n'));
    },
    0,
  );
  return rows;
}
