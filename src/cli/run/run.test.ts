import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseFlags } from '../parse-flags.ts';
import { normalizeReference } from '../references.ts';
import { containerBody } from './container-body.ts';
import { createFlags, runFlags } from './create-flags.ts';
import { readKeyValueFile } from './key-values.ts';
import { parseMount } from './mounts.ts';
import { parseExposed, parsePublished } from './ports.ts';
import { parseDevice, parseGpus, parseUlimit } from './resources.ts';

const body = (...argv: string[]) => {
  const { args, flags } = parseFlags([...createFlags, ...runFlags], argv, false);
  return containerBody(flags, args[0]!, args.slice(1), { HOME: '/root', SHOWN: 'yes' });
};

test('ports are published by number, range, address and long form', () => {
  const { bindings, exposed } = parsePublished([
    '8080:80',
    '127.0.0.1::53/udp',
    '[::1]:90:90',
    '7000-7001:7000-7001',
    '9000-9009:9000',
    'published=1,target=2',
  ]);
  assert.deepEqual(bindings['80/tcp'], [{ HostIp: '', HostPort: '8080' }]);
  assert.deepEqual(bindings['53/udp'], [{ HostIp: '127.0.0.1', HostPort: '' }]);
  assert.deepEqual(bindings['90/tcp'], [{ HostIp: '::1', HostPort: '90' }]);
  assert.deepEqual(bindings['7001/tcp'], [{ HostIp: '', HostPort: '7001' }]);
  assert.deepEqual(bindings['9000/tcp'], [{ HostIp: '', HostPort: '9000-9009' }]);
  assert.deepEqual(bindings['2/tcp'], [{ HostIp: '', HostPort: '1' }]);
  assert.ok(exposed['7000/tcp']);
  for (const [value, message] of [
    ['x', 'invalid containerPort: x'],
    ['x:80', 'invalid hostPort: x'],
    ['1.2.3:1:1', 'invalid IP address: 1.2.3'],
    ['1-2:1-3', 'invalid ranges specified for container and host Ports: 1-3 and 1-2'],
    ['80/x', 'invalid proto: x'],
  ] as const)
    assert.throws(() => parsePublished([value]), { message });

  test('what no port is gets Docker’s words', () => {
    for (const [value, message] of [
      ['[::1:80:80', "invalid IP address [::1: address [::1:: missing ']' in address"],
      ['fe80::1%lo:80:80', 'invalid IP address: fe80::1%lo'],
    ] as const)
      assert.throws(() => parsePublished([value]), { message });
    for (const [value, message] of [
      ['80-79', 'invalid range format for --expose: 80-79, error: invalid range specified for port: 80-79'],
      ['', 'invalid range format for --expose: , error: empty string specified for ports'],
      ['a', 'invalid range format for --expose: a, error: strconv.ParseUint: parsing "a": invalid syntax'],
    ] as const)
      assert.throws(() => parseExposed([value]), { message });
    assert.deepEqual(parseExposed(['80/', '81/udp']), { '80/tcp': {}, '81/udp': {} });
    assert.deepEqual(parsePublished(['80:81/udp/x']).exposed, { '81/udp': {} });
  });
});

test("a mount is read from its fields and refused in Docker's words", () => {
  assert.deepEqual(parseMount('type=bind,src=/a,dst=/b,ro'), {
    Type: 'bind',
    Source: '/a',
    Target: '/b',
    ReadOnly: true,
  });
  assert.deepEqual(parseMount('source=v,target=/w,volume-opt=a=b'), {
    Type: 'volume',
    Source: 'v',
    Target: '/w',
    VolumeOptions: { DriverConfig: { Name: undefined, Options: { a: 'b' } } },
  });
  assert.equal(parseMount('type=bind,src=/a,dst=/b,bind-idmap').BindOptions?.IdMap, 'match-user');
  for (const [value, message] of [
    ['x', "invalid field 'x' must be a key=value pair"],
    ['type=bind,foo=1', "unexpected key 'foo' in 'foo=1'"],
    ['type=bind,src=/a', 'target is required'],
    ['type=tmpfs,dst=/x,volume-nocopy', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
  ] as const)
    assert.throws(() => parseMount(value), { message });
});

test('limits and devices are read from their short forms', () => {
  assert.deepEqual(parseUlimit('nofile=1:2'), { Name: 'nofile', Soft: 1, Hard: 2 });
  assert.throws(() => parseUlimit('nofile=3:2'), {
    message: 'ulimit soft limit must be less than or equal to hard limit: 3 > 2',
  });
  assert.deepEqual(parseDevice('/dev/a:r'), {
    PathOnHost: '/dev/a',
    PathInContainer: '/dev/a',
    CgroupPermissions: 'r',
  });
  assert.equal(parseGpus('all').Count, -1);
  assert.deepEqual(parseGpus('"device=0,1"').DeviceIDs, ['0', '1']);
});

test('the body of a create has what was typed', () => {
  const made = body(
    '-it',
    '--rm',
    '-e',
    'A=1',
    '-v',
    '/a:/b:ro',
    '-v',
    '/anon',
    '--network',
    'n1',
    '--network-alias',
    'al',
    '--ip',
    '10.0.0.2',
    '-m',
    '1g',
    'image',
    'sh',
    '-c',
    'x',
  );
  assert.deepEqual(made.Cmd, ['sh', '-c', 'x']);
  assert.deepEqual([made.Tty, made.OpenStdin, made.StdinOnce, made.AttachStdin], [true, true, true, true]);
  assert.deepEqual(made.Volumes, { '/anon': {} });
  assert.deepEqual(made.HostConfig?.Binds, ['/a:/b:ro']);
  assert.equal(made.HostConfig?.NetworkMode, 'n1');
  assert.equal(made.HostConfig?.Memory, 2 ** 30);
  const endpoint = made.NetworkingConfig?.EndpointsConfig?.n1;
  assert.deepEqual(endpoint?.Aliases, ['al']);
  assert.equal(endpoint?.IPAMConfig?.IPv4Address, '10.0.0.2');
});

test('what contradicts itself is refused before anything is sent', () => {
  const refused: [string[], RegExp][] = [
    [['--rm', '--restart', 'always', 'i'], /cannot specify both --restart and --rm/],
    [['--pid', 'x', 'i'], /--pid: invalid PID mode/],
    [['--no-healthcheck', '--health-cmd', 'x', 'i'], /conflicts with --health-/],
    [['--network', 'host', '--network-alias', 'x', 'i'], /only supported for user-defined networks/],
    [['--security-opt', 'foo', 'i'], /[Ii]nvalid --security-opt: "foo"/],
    [['--lxc-conf', 'x', 'i'], /LXC driver has been removed/],
  ];
  for (const [argv, message] of refused) assert.throws(() => body(...argv), message);
});

test('a file of variables is read line by line and its mistakes are named', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-env-'));
  try {
    const path = join(dir, 'env');
    writeFileSync(path, '# comment\n\n  A=1 \nSHOWN\nMISSING\n');
    assert.deepEqual(
      readKeyValueFile(path, (key) => ({ SHOWN: 'yes' })[key]),
      ['A=1 ', 'SHOWN=yes'],
    );
    writeFileSync(path, 'A B=1\n');
    assert.throws(() => readKeyValueFile(path, () => undefined), {
      message: `invalid env file (${path}): variable 'A B' contains whitespaces`,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('image names are completed and bad ones refused', () => {
  assert.equal(normalizeReference('busybox').familiar, 'busybox:latest');
  assert.deepEqual(
    [normalizeReference('localhost:5000/a/b:1').domain, normalizeReference('localhost:5000/a/b:1').path],
    ['localhost:5000', 'a/b'],
  );
  assert.equal(normalizeReference('docker.io/library/x:y').familiar, 'x:y');
  assert.throws(() => normalizeReference('Foo'), {
    message: 'invalid reference format: repository name (library/Foo) must be lowercase',
  });
  assert.throws(() => normalizeReference('a:b:c'), { message: 'invalid reference format' });
});

const WORDS: readonly (readonly [flag: string, value: string, message: string])[] = [
  ['blkio-weight-device', ':', 'bad format: :'],
  ['device-read-bps', '/dev/a:x', 'invalid rate for device: /dev/a:x. The correct format is'],
  ['dns-search', '99', '99 is not a valid domain'],
  ['expose', '', 'invalid range format for --expose: , error: empty string specified for ports'],
  ['expose', '-1', 'strconv.ParseUint: parsing "": invalid syntax'],
  ['expose', '8-x', 'strconv.ParseUint: parsing "x": invalid syntax'],
  ['expose', '9-8', 'invalid range specified for port: 9-8'],
  ['expose', '70000', 'strconv.ParseUint: parsing "70000": value out of range'],
  ['gpus', '', 'EOF'],
  ['gpus', '99999999999999999999', 'value must be either "all" or an integer: value out of range'],
  ['health-interval', '-1', 'time: missing unit in duration "-1"'],
  ['health-interval', '1x', 'time: unknown unit "x" in duration "1x"'],
  ['health-interval', 'x', 'time: invalid duration "x"'],
  ['kernel-memory', '-1', "invalid size: '-1'"],
  ['memory', '-1', "invalid size: '-1'"],
  ['mount', '=', "unexpected key '' in '='"],
  ['network', '', 'no name set for network'],
  ['publish', '=', "invalid publish opts format (should be name=value but got '=')"],
  ['security-opt', '=', 'Invalid --security-opt: "="'],
  ['security-opt', ':', 'Invalid --security-opt: ":"'],
];
for (const [flag, value, message] of WORDS)
  test(`--${flag}=${value} is refused in Docker's words`, () => {
    assert.throws(
      () => body(`--${flag}=${value}`, 'image'),
      (error: Error) => error.message.includes(message),
    );
  });

test('-1 is no limit of swap, and of nothing else', () => {
  assert.equal(body('-m', '1g', '--memory-swap', '-1', 'image').HostConfig?.MemorySwap, -1);
});
