import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Builder } from './builder-setting.ts';
import { fill } from './container-defaults.ts';
import { parseFlags } from './flags.ts';
import { helpText } from './help.ts';
import { checkTcp } from './listen.ts';
import { nameOf, OPTIONS } from './options.ts';
import { readInvocation, reloaded, type Settings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'gt-daemon-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'daemon.json');

/** The settings of a daemon.json and a command line. */
function read(config: unknown, ...args: string[]): Settings {
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return readInvocation(['--config-file', file, ...args], {}).settings;
}

describe('the command line', () => {
  it('takes values after a blank, an equals sign or at once, and letters together', () => {
    const values = parseFlags([
      '--data-root',
      '/a',
      '--exec-root=/b',
      '-Htcp://x',
      '-H=unix:///y',
      '-H',
      'fd://',
      '-Dv',
      '--icc=false',
    ]);
    assert.deepEqual(
      ['data-root', 'exec-root', 'hosts', 'debug', 'version', 'icc'].map((name) => values.get(name)),
      ['/a', '/b', ['tcp://x', 'unix:///y', 'fd://'], true, true, false],
    );
  });
  it('gathers maps', () => {
    assert.deepEqual(parseFlags(['--log-opt', 'max-size=10m', '--log-opt', 'max-file=3']).get('log-opts'), {
      'max-size': '10m',
      'max-file': '3',
    });
  });
  const bad: [args: string[], message: RegExp][] = [
    [['--foo'], /^unknown flag: --foo$/],
    [['-Z'], /^unknown shorthand flag: 'Z' in -Z$/],
    [['--mtu'], /^flag needs an argument: --mtu$/],
    [['--mtu', 'abc'], /strconv\.ParseInt: parsing "abc": invalid syntax/],
    [['--icc=maybe'], /strconv\.ParseBool: parsing "maybe"/],
    [['--log-opt', 'x'], /must be key=value/],
    [['run'], /takes no arguments: "run"/],
  ];
  for (const [args, message] of bad)
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => parseFlags(args), { message }));
});

describe('daemon.json', () => {
  it('may be absent unless it was asked for', () => {
    assert.doesNotThrow(() => readInvocation([], {}));
    assert.throws(
      () => readInvocation(['--config-file', join(directory, 'nope')], {}),
      /open .*nope: no such file or directory/,
    );
  });
  it('names every unknown key', () => {
    assert.throws(
      () => read({ foo: 1, bar: 2 }),
      /the following directives don't match any configuration option: foo, bar/,
    );
  });
  it('names what a flag sets too, also under another form', () => {
    assert.throws(
      () => read({ debug: true }, '--debug'),
      /specified both as a flag and in the configuration file: debug: \(from flag: true, from file: true\)/,
    );
    assert.throws(
      () => read({ hosts: ['unix:///a'] }, '-H', 'unix:///b'),
      /hosts: \(from flag: \[unix:\/\/\/b\], from file: \[unix:\/\/\/a\]\)/,
    );
    assert.throws(
      () => read({ 'default-address-pools': [] }, '--default-address-pool', 'base=10.0.0.0/8,size=24'),
      /default-address-pools/,
    );
  });
  it('is checked for types in the words of the reference', () => {
    assert.throws(
      () => read({ debug: 'yes' }),
      /cannot unmarshal string into Go struct field Config\.debug of type bool/,
    );
    assert.throws(() => read({ dns: '1.1.1.1' }), /Config\.dns of type \[\]string/);
    assert.throws(() => read('{'), /invalid JSON/);
    assert.throws(() => read([]), /invalid JSON/);
  });
  it('joins with the command line to one set of settings', () => {
    const settings = read(
      {
        bip: '10.9.0.1/24',
        'default-address-pools': [{ base: '10.8.0.0/16', size: 24 }],
        'log-opts': { 'max-size': '10m', 'max-file': 3 },
        runtimes: { mine: { path: '/bin/mine', runtimeArgs: ['-x'] } },
        'default-ulimits': { nofile: { Name: 'nofile', Hard: 20, Soft: 10 } },
        builder: { gc: { enabled: true, defaultKeepStorage: '10GB' } },
        gc: { maxUsed: '5GB', minFree: '10%', keepLabel: 'keep' },
        'default-shm-size': '128m',
        labels: ['a=b'],
        'live-restore': true,
      },
      '--data-root',
      '/somewhere',
    );
    assert.equal(settings.dataRoot, '/somewhere');
    assert.equal(settings.network.bip, '10.9.0.1/24');
    assert.deepEqual(settings.network.defaultAddressPools, [{ base: '10.8.0.0/16', size: 24 }]);
    assert.deepEqual(settings.defaults.logOptions, { 'max-size': '10m', 'max-file': '3' });
    assert.deepEqual(settings.runtimes, {
      mine: { path: '/bin/mine', args: ['-x'] },
    });
    assert.deepEqual(settings.defaults.ulimits, [{ Name: 'nofile', Soft: 10, Hard: 20 }]);
    assert.equal(settings.collection.build[0]?.limits.reserved, 10 * 1024 ** 3);
    assert.deepEqual(settings.collection.images, {
      maxUsedBytes: 5 * 1024 ** 3,
      minFreeShare: 0.1,
      keepLabels: ['keep'],
      intervalMs: 600_000,
    });
    assert.equal(settings.defaults.shmSizeBytes, 128 * 1024 ** 2);
    assert.equal(settings.liveRestore, true);
  });
  const refused: [config: Record<string, unknown>, message: RegExp][] = [
    [{ 'userns-remap': 'default' }, /^userns-remap is not supported: /],
    [{ 'metrics-addr': '127.0.0.1:9' }, /^metrics-addr is not supported: /],
    [{ features: { buildkit: true } }, /feature buildkit is not supported/],
    [{ features: { nonsense: false } }, /unknown feature: nonsense/],
    [{ 'exec-opts': ['native.cgroupdriver=systemd'] }, /native\.cgroupdriver=cgroupfs is the only one/],
    [{ 'storage-driver': 'btrfs' }, /overlay2 is the only one/],
    [{ bip: '10.9.0.1' }, /invalid bip: invalid CIDR address: 10\.9\.0\.1/],
    [{ bip: '10.9.0.1/24', bridge: 'br0' }, /mutually exclusive/],
    [{ 'default-gateway': 'gate' }, /invalid default-gateway: gate is not an IP address/],
    [{ 'host-gateway-ip': 'gate' }, /invalid host-gateway-ip: gate is not an IP address/],
    [{ 'allow-nondistributable-artifacts': ['x'] }, /^allow-nondistributable-artifacts is not supported/],
    [{ dns: ['example.org'] }, /invalid dns: example\.org is not an IP address/],
    [{ 'log-driver': 'syslog' }, /no log driver named 'syslog' is registered/],
    [{ 'log-level': 'loud' }, /invalid log-level: loud/],
    [{ labels: ['x'] }, /bad attribute format: x/],
    [{ 'registry-mirrors': ['ftp://x'] }, /invalid mirror/],
    [{ runtimes: { x: { path: '/x', runtimeType: 'y' } } }, /runtimes\.x.*runtimeType/],
    [{ hosts: ['http://x'] }, /unsupported protocol/],
    [{ ip6tables: false }, /ip6tables must be as iptables/],
    [{ 'max-concurrent-downloads': 0 }, /invalid max-concurrent-downloads: 0/],
  ];
  for (const [config, message] of refused)
    it(`refuses ${JSON.stringify(config)}`, () => assert.throws(() => read(config), { message }));
  it('may say no to what is not supported', () => {
    assert.doesNotThrow(() =>
      read({ 'userns-remap': '', 'selinux-enabled': false, 'storage-opts': [], features: { buildkit: false } }),
    );
  });
});

describe('tcp', () => {
  it('is refused without verification of clients unless that is said loudly', () => {
    const check = (...args: string[]) => checkTcp(readInvocation(['-H', 'tcp://0.0.0.0:2376', ...args], {}).settings);
    assert.throws(() => check(), /refusing to listen on tcp:\/\/0\.0\.0\.0:2376 without --tlsverify/);
    assert.throws(() => check('--tls'), /without --tlsverify/);
    assert.doesNotThrow(() => check('--tlsverify'));
    assert.doesNotThrow(() => check('--insecure-tcp'));
  });
});

describe('options', () => {
  it('have one flag and one key each', () => {
    for (const part of ['flag', 'short', 'key'] as const) {
      const names = OPTIONS.map((spec) => spec[part]).filter((name) => name !== undefined);
      assert.deepEqual(names, [...new Set(names)]);
    }
  });
  it('are all in the help unless they are refused', () => {
    const help = helpText();
    for (const spec of OPTIONS)
      if (spec.flag !== undefined)
        assert.equal(help.includes(`--${spec.flag} `), spec.refused === undefined, nameOf(spec));
  });
});

describe('a reload', () => {
  it('changes what may change and nothing else', () => {
    const before = read({ labels: ['a=1'], bip: '10.9.0.1/24' });
    const after = reloaded(before, read({ labels: ['b=2'], bip: '10.7.0.1/24', debug: true, 'live-restore': true }));
    assert.deepEqual(
      [after.labels, after.logLevel, after.liveRestore, after.network.bip],
      [['b=2'], 'debug', true, '10.9.0.1/24'],
    );
  });
});

describe('defaults of containers', () => {
  const { defaults } = read({ init: true, 'no-new-privileges': true, 'default-ipc-mode': 'shareable' });
  it('fill what a container does not say', () => {
    const { HostConfig: host } = fill({} as Parameters<typeof fill>[0], defaults, '{}');
    assert.deepEqual(
      [host?.Init, host?.IpcMode, host?.SecurityOpt],
      [true, 'shareable', ['no-new-privileges', 'seccomp={}']],
    );
  });
  it('give way to what it says', () => {
    const given = {
      HostConfig: { Init: false, IpcMode: 'private', SecurityOpt: ['no-new-privileges:false', 'seccomp=unconfined'] },
    };
    const { HostConfig: host } = fill(given as Parameters<typeof fill>[0], defaults, '{}');
    assert.deepEqual([host?.Init, host?.IpcMode, host?.SecurityOpt], [false, 'private', given.HostConfig.SecurityOpt]);
  });
});

it('rules of the build cache are those of dockerd', () => {
  const rules = (gc: unknown) => Builder.parse({ gc });
  assert.deepEqual(rules({ enabled: false, defaultKeepStorage: '1GB' }), []);
  assert.deepEqual(rules({ defaultMaxUsedSpace: 5 }), [
    { all: false, filters: {}, limits: { reserved: undefined, maxUsed: 5, minFree: undefined } },
  ]);
  assert.deepEqual(rules({ policy: [{ all: true, filter: ['unused-for=48h'], keepStorage: '1kB' }] }), [
    {
      all: true,
      filters: { 'unused-for': ['48h'] },
      limits: { reserved: 1024, maxUsed: undefined, minFree: undefined },
    },
  ]);
  assert.throws(() => rules({ policy: [{ filter: ['x'] }] }), /name=value/);
});
