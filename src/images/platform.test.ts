import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlatform, choose, fits, parsePlatform, platformText } from './platform.ts';

const OWN = { os: 'linux', architecture: 'amd64' };

test('platforms are read and normalised as containerd does', () => {
  const read = (text: string) => platformText(parsePlatform(text, OWN));
  const table: Record<string, string> = {
    'linux/amd64': 'linux/amd64',
    'linux/x86_64': 'linux/amd64',
    'linux/arm64/v8': 'linux/arm64',
    'linux/aarch64': 'linux/arm64',
    'linux/arm': 'linux/arm/v7',
    'linux/armel': 'linux/arm/v6',
    'linux/arm/v6': 'linux/arm/v6',
    arm64: 'linux/arm64',
    linux: 'linux/amd64',
    'Linux/AMD64': 'linux/amd64',
    'linux/amd64/v1': 'linux/amd64',
  };
  for (const [text, expected] of Object.entries(table)) assert.equal(read(text), expected, text);
  assert.throws(() => read('foo'), { message: '"foo": unknown operating system or architecture: invalid argument' });
  assert.throws(() => read('a/b/c/d'), /cannot parse platform specifier/);
  assert.throws(() => read('linux/'), /invalid component/);
});

test('the nearest platform that runs is chosen from an index', () => {
  const entry = (platform: string | undefined, digest: string) => {
    const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
    const given =
      platform === undefined ? {} : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
    return { mediaType: 'x', digest: `sha256:${digest.repeat(64)}`, size: 1, ...given };
  };
  const list = [
    entry('linux/arm/v5', '1'),
    entry('linux/arm/v7', '2'),
    entry('linux/amd64', '3'),
    entry('linux/arm64/v8', '4'),
    entry('windows/amd64', '5'),
  ];
  const chosen = (platform: string) => choose(list, parsePlatform(platform, OWN))?.digest[7];
  assert.equal(chosen('linux/arm/v7'), '2');
  assert.equal(chosen('linux/arm/v6'), '1');
  assert.equal(chosen('linux/amd64/v3'), '3');
  assert.equal(chosen('linux/arm64'), '4');
  assert.equal(chosen('linux/s390x'), undefined);
  assert.equal(choose([entry(undefined, '6')], OWN)?.digest[7], '6');
  assert.ok(!fits(parsePlatform('linux/arm/v5', OWN), { os: 'linux', architecture: 'arm', variant: 'v7' }));
});

test('an image for another platform is not found', () => {
  const check = (offered: object, wanted: string) => checkPlatform('app:1', offered, parsePlatform(wanted, OWN));
  assert.throws(() => check(OWN, 'arm64'), {
    kind: 'not-found',
    message:
      'image with reference app:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
  });
  check(OWN, 'linux/amd64/v3');
  check({}, 'linux/arm64');
});
