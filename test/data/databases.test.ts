import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { debianTar, hasMmdebstrap } from '../support/debian.ts';
import { eventually, TestDaemon } from '../support/index.ts';

/**
 * Real databases on named volumes: what a client was told to be written is there after each way in which a container, its image and the
 * daemon can come and go. `npm run test:data` (the first time it makes two Debian images).
 */
const checkout = resolve(import.meta.dirname, '../..');
/** Writers whose client went with the daemon are still there. */
const END_CLIENTS =
  'for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in psql|redis-cli) kill ${p#/proc/};; esac; done; sleep 0.3';

/** A client that writes until it is ended, each write confirmed by a line with its number. */
class Writer {
  readonly #child: ChildProcess;
  #text = '';

  constructor(daemon: TestDaemon, container: string, script: string) {
    this.#child = spawn(join(checkout, 'bin/gantry'), ['exec', container, 'sh', '-c', script], {
      env: { ...process.env, DOCKER_HOST: daemon.host, GANTRY_NO_AUTOSTART: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#text += String(chunk);
    });
  }
  /** The last number that came whole. */
  get confirmed(): number {
    return Number(/(?:^|\n)(\d+)\n[^\n]*$/.exec(this.#text)?.[1] ?? 0);
  }
  async reached(count: number): Promise<void> {
    await eventually(
      `${count} writes confirmed, ${this.confirmed} are; ${this.#text.slice(-200)}`,
      () => this.confirmed >= count,
    );
  }
  end(): void {
    this.#child.kill('SIGKILL');
  }
}

interface Database {
  image: string;
  /** Of the next version, which reads the files of this one. */
  upgraded: string;
  directory: string;
  command: readonly string[];
  ready: readonly string[];
  /** Writes numbers from N + 1 on; prints each once it is written for good. */
  writeFrom(count: number): string;
  /** Prints how many numbers there are, and fails if one is missing. */
  count: string;
  /** Examines the files of a database that stands still. */
  verify: string;
}

const redis: Database = {
  image: 'redis:old',
  upgraded: 'redis:new',
  directory: '/data',
  command: ['redis-server', '--dir', '/data', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
  ready: ['redis-cli', 'ping'],
  // A key and the counter go together.
  writeFrom: (count) =>
    `i=${count}; while :; do i=$((i + 1)); echo "eval \\"redis.call('set', 'key' .. ARGV[1], ARGV[1]) return redis.call('incr', 'n')\\" 0 $i"; done | redis-cli`,
  count: `redis-cli eval "local n = tonumber(redis.call('get', 'n') or '0') for i = 1, n do if redis.call('get', 'key' .. i) ~= tostring(i) then return redis.error_reply('no ' .. i) end end return n" 0`,
  verify: 'cd /data/appendonlydir && redis-check-aof *.manifest',
};

const postgres: Database = {
  image: 'postgres:old',
  upgraded: 'postgres:new',
  directory: '/var/lib/postgresql',
  command: ['start-postgres'],
  ready: ['psql', '-h', '/tmp', '-U', 'postgres', '-c', 'select 1'],
  writeFrom: (count) =>
    `psql() { command psql -h /tmp -U postgres -qAtX "$@"; }; psql -c 'create table if not exists t (n int primary key, filler text)'
     i=${count}; while :; do i=$((i + 1)); echo "insert into t values ($i, repeat('x', 500)) returning n;"; done | psql`,
  count: `psql -h /tmp -U postgres -AtX -c 'select case when count(*) = max(n) then count(*) else -1 end from t where length(filler) = 500'`,
  verify:
    'chown -R postgres /var/lib/postgresql && su postgres -c "/usr/lib/postgresql/15/bin/pg_checksums --check -D /var/lib/postgresql/main"',
};

/** initdb on an empty volume, as the official image does; then the server in the place of the shell. */
const START_POSTGRES = `#!/bin/sh
set -e
bin=/usr/lib/postgresql/15/bin
main=/var/lib/postgresql/main
[ -e $main/PG_VERSION ] || su postgres -c "$bin/initdb --data-checksums --auth=trust -D $main"
exec setpriv --reuid postgres --regid postgres --init-groups $bin/postgres -D $main -k /tmp
`;

describe('a database on a named volume', { skip: hasMmdebstrap ? false : 'needs mmdebstrap' }, () => {
  let daemon: TestDaemon;
  before(async () => {
    const old = await debianTar('bookworm', ['redis-server', 'postgresql-15']);
    const next = await debianTar('trixie', ['redis-server']);
    daemon = await TestDaemon.start({ busybox: false });
    await daemon.ok('import', old, 'redis:old');
    await daemon.ok('import', next, 'redis:new');
    const dockerfile = (version: string) =>
      `FROM redis:old\nRUN echo '${Buffer.from(START_POSTGRES).toString('base64')}' | base64 -d > /usr/bin/start-postgres && chmod 755 /usr/bin/start-postgres && rm -rf /var/lib/postgresql/*\nENV VERSION=${version}\nSTOPSIGNAL SIGINT\n`;
    for (const version of ['old', 'new']) {
      const built = await daemon.gantry(['build', '-t', `postgres:${version}`, '-'], { input: dockerfile(version) });
      assert.equal(built.code, 0, built.stderr);
    }
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  for (const [name, database] of Object.entries({ Redis: redis, PostgreSQL: postgres }))
    it(`${name}: keeps what it confirmed`, { timeout: 300_000 }, async (t) => {
      const container = `db-${name.toLowerCase()}`;
      const volume = `data-${name.toLowerCase()}`;
      const mount = ['-v', `${volume}:${database.directory}`];
      const ready = () =>
        eventually(
          `${name} answers`,
          async () => (await daemon.gantry(['exec', container, ...database.ready])).code === 0,
        );
      const run = async (image: string) => {
        await daemon.ok('run', '-d', '--name', container, '--network', 'none', ...mount, image, ...database.command);
        await ready();
      };
      const count = async () => Number(await daemon.ok('exec', container, 'sh', '-c', database.count));
      let kept = 0;
      /** Writes, lets something happen in the middle of it, and looks that nothing confirmed is missing. */
      const through = async (what: string, happening: () => Promise<unknown>) => {
        const writer = new Writer(daemon, container, database.writeFrom(kept));
        try {
          await writer.reached(kept + 200);
          await happening();
        } finally {
          writer.end();
        }
        await ready();
        const found = await count();
        assert.ok(found >= writer.confirmed, `${what}: ${writer.confirmed} were confirmed, ${found} are there`);
        t.diagnostic(`${what}: ${writer.confirmed} confirmed, ${found} there`);
        // One more than was confirmed may have been written; the writer itself may go on for a moment.
        await daemon.gantry(['exec', container, 'sh', '-c', END_CLIENTS]);
        kept = await count();
      };

      await run(database.image);
      await through('daemon killed', async () => {
        await daemon.crash();
        await daemon.launch();
      });
      await through('container killed', async () => {
        await daemon.ok('kill', '-s', 'KILL', container);
        await daemon.ok('start', container);
      });
      await through('container and daemon killed', async () => {
        await daemon.ok('kill', '-s', 'KILL', container);
        await daemon.crash();
        await daemon.launch();
        await daemon.ok('start', container);
      });
      await through('stopped, removed, made again', async () => {
        await daemon.ok('stop', container);
        await daemon.ok('rm', container);
        await run(database.image);
      });
      await through('removed by force, the image upgraded', async () => {
        await daemon.ok('rm', '-f', container);
        await run(database.upgraded);
      });
      assert.ok(kept >= 1000, `${kept}`);
      await daemon.ok('stop', container);
      const verified = await daemon.gantry(['run', '--rm', ...mount, database.upgraded, 'sh', '-c', database.verify]);
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);
      await daemon.ok('rm', container);
      await daemon.ok('volume', 'rm', volume);
    });
});
