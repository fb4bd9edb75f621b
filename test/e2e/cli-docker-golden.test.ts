import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

/** The same command lines with Docker's CLI and with gantry against one gantryd: stdout and exit codes must be the same. */
const LINES: readonly (readonly string[])[] = [
  ['ps', '-aq', '--no-trunc'],
  ['ps', '-a', '--no-trunc', '--format', 'table {{.ID}}\\t{{.Names}}\\t{{.Ports}}\\t{{.Label "l1"}}'],
  ['ps', '-a', '--format', '{{upper .Names}} {{.Image}} {{.Command}} {{.State}} {{.Networks}}'],
  ['ps', '--format', '{{.Foo}}'],
  ['ps', '--format', '{{'],
  ['ps', '-f', 'name=golden', '-q'],
  ['ps', '-f', 'nope=1'],
  ['ps', '-f', 'x'],
  ['ps', 'extra'],
  ['images', '-q'],
  ['images', '--no-trunc', '--digests'],
  ['images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}'],
  ['volume', 'ls'],
  ['volume', 'ls', '-q'],
  ['volume', 'ls', '--format', 'json'],
  ['volume', 'inspect', 'goldenvol'],
  ['network', 'ls'],
  ['network', 'ls', '--no-trunc', '-q'],
  ['network', 'inspect', 'goldennet'],
  ['network', 'inspect', 'goldennet', '-f', '{{range .IPAM.Config}}{{.Subnet}}{{end}}'],
  ['inspect', 'golden'],
  ['inspect', '-f', '{{.State.Status}} {{.Config.Env}} {{.HostConfig.Binds}} {{.HostConfig.CapAdd}}', 'golden'],
  ['inspect', '-f', '{{json .NetworkSettings.Ports}}', 'golden'],
  ['inspect', '-f', '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}', 'golden'],
  ['inspect', '-f', '{{if .State.Health}}yes{{else}}no{{end}}', 'golden'],
  ['inspect', '-f', '{{.Nope}}', 'golden'],
  ['inspect', 'golden', 'nope'],
  ['inspect', '--type', 'image', 'busybox'],
  ['container', 'inspect', 'nope'],
  ['image', 'inspect', 'nope'],
  ['history', '--no-trunc', '--human=false', 'busybox'],
  ['port', 'golden'],
  ['port', 'golden', '80'],
  ['port', 'golden', '81'],
  ['top', 'golden', '-o', 'pid,comm'],
  ['exec', 'golden', 'sh', '-c', 'echo out; exit 7'],
  ['exec', '-e', 'X=1', '-w', '/tmp', 'golden', 'sh', '-c', 'echo $X; pwd'],
  ['exec', 'golden'],
  ['logs', 'golden'],
  ['logs', '--tail', '1', 'golden'],
  ['stop', 'nope'],
  ['kill', 'nope', 'nope2'],
  ['start', 'nope'],
  ['start', '-a', 'x', 'y'],
  ['rm', 'nope'],
  ['rm', '-f', 'nope'],
  ['rm', 'golden'],
  ['rmi', 'nope'],
  ['rmi', '-f', 'nope'],
  ['push', `busybox@sha256:${'0'.repeat(64)}`],
  ['volume', 'rm', 'nope'],
  ['network', 'rm', 'bridge'],
  ['wait', 'nope'],
  ['rename', 'golden', 'golden'],
  ['update', 'golden'],
  ['tag', 'busybox', 'Foo'],
  ['tag', 'nope', 'foo'],
  ['create'],
  ['run'],
  ['run', '--foo'],
  ['run', '-m', 'x', 'busybox'],
  ['run', '-p', 'x', 'busybox'],
  ['run', '--restart', 'foo', 'busybox'],
  ['run', '-e', '=x', 'busybox'],
  ['run', '--env-file', '/nonexistent', 'busybox'],
  ['run', '--rm', '--restart', 'always', 'busybox'],
  ['run', '-d', '-a', 'stdin', 'busybox'],
  ['run', '-it', 'busybox'],
  ['run', '--rm', 'busybox', 'nope'],
  ['run', '--rm', 'busybox', '/etc'],
  ['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 5'],
  ['run', '--rm', '-h', 'foo', '-w', '/tmp', '-u', '1000', 'busybox', 'sh', '-c', 'hostname; pwd; id -u'],
  ['run', '--rm', '--entrypoint', 'echo', 'busybox', 'x', 'y'],
  ['run', '--rm', '--mount', 'type=bind,src=/nonexistent,dst=/x', 'busybox', 'true'],
  ['run', '--rm', '--read-only', 'busybox', 'touch', '/x'],
  ['cp', 'golden:/nope', '/tmp/x'],
  ['cp', 'a', 'b'],
  ['context', 'show'],
  ['context', 'inspect', 'nope'],
  ['info', '-f', '{{.NCPU}} {{.Driver}} {{.Name}}'],
  ['version', '-f', '{{.Server.Version}} {{.Server.APIVersion}}'],
  ['system', 'df', '--format', '{{.Type}} {{.TotalCount}}'],
  ['system', 'df', '-v', '--format', '{{json .Volumes}}'],
  ['system', 'df', '-v', '--format', '{{range .Images}}{{.ID}} {{json .Digest}}{{end}}{{json .BuildCache}}'],
  ['ps', '-aq', '--format', '{{.Names}}'],
  ['network', 'ls', '-q', '--format', 'raw'],
  ['volume', 'ls', '-q', '--format', 'raw'],
  ['container', '-z'],
  ['container', 'ls', '--help=x'],
  ['image', 'ls', 'a', 'b'],
  ['network', 'create'],
  ['commit', 'nope'],
  ['run', '--device', ':', 'busybox'],
  ['run', '--security-opt', 'x', 'busybox'],
  ['save', '-o', '/nonexistent/x', 'busybox'],
  ['save', '-o', '/tmp', 'busybox'],
  ['network', 'create', '--gateway', '10.9.9.1', 'n'],
  ['context', 'create', 'golden', '--docker', 'foo'],
  ['context', 'rm', 'nope'],
  ['image', 'foo', '--bar'],
  ['--log-level', 'x', 'ps'],
  ['port'],
  ['version', '-f', '{{.Foo}}'],
  ['save', '-o', '/dev/null', 'busybox'],
  ['logs', '--since', 'x', 'golden'],
  ['exec', '-e', '=x', 'golden', 'true'],
  ['create', '--memory', '-1', 'busybox'],
  ['create', '--memory', ' 1', 'busybox'],
  ['ps', '-a', '--format', '{{.Platform}}'],
  ['ps', '-a', '--format', 'table {{json .}}'],
  ['ps', '-a', '--format', '{{.ID 1}}'],
  ['ps', '-f', 'name=nobody', '--format', '{{.Nope}}'],
  ['images', '-q', '--format', 'table {{.Repository}}'],
  ['images', '--digests', '--format', 'table {{.Tag}}'],
  ['images', '--format', '{{truncate .Repository 3}}{{slice .Tag 0 2}}'],
  ['images', '-f', ''],
  [],
  ['-D'],
  ['network', 'connect', '', ''],
  ['plugin', 'ls', '--format', 'table {{.PluginReference}}'],
  ['system', 'df', '--format', 'raw'],
  ['context', 'ls', '-q', '--format', 'json'],
  ['info', '-f', '{{.ClientInfo.Arch}}'],
  ['network', 'ls', '-f', '', '-q'],
  ['network', 'connect', '--link=', 'x', 'y'],
  ['network', 'connect', '--link-local-ip=1,"2', 'x', 'y'],
  ['tag', 'x', 'y', '--nope'],
  ['system', 'prune', '--filter', 'nope=1', '--filter', 'until=1h', '--filter', 'label=x'],
];

/** Templates that look at whole structs, at fields by Go's names and by JSON's, at what is not there; none at a pointer's address. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'inspect golden': [
    '{{.State}}',
    '{{.Mounts}} {{(index .Mounts 0).Source}}',
    '{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}} {{.HostConfig.ConsoleSize}} {{.HostConfig.PidsLimit}}',
    '{{.HostConfig.DNS}}',
    '{{.HostConfig.Dns}}',
    '{{.HostConfig.Resources.CPUShares}} {{.HostConfig.Tmpfs}} {{.HostConfig.Init}}',
    '{{.State.Health}}',
    '{{.State.Health.Status}}',
    '{{.State.Nope}}',
    '{{.State.toString}}',
    '{{len .State}}',
    '{{.Config.Labels.nope}}',
    '{{index .Config.Labels "nope"}}|{{index .Config.Labels "l1"}}',
    '{{.Config.ExposedPorts}} {{.Config.StopTimeout}} {{.Config.Volumes}} {{.Config.Shell}}',
    '{{.NetworkSettings.Ports}}',
    '{{index .NetworkSettings.Ports "80/tcp"}}',
    '{{.NetworkSettings.Networks.nope.IPAddress}}',
    '{{range $k, $v := .State}}{{end}}',
    '{{json .State}}{{json .Mounts}}{{json .HostConfig}}{{json .Config}}{{json .NetworkSettings}}',
    '{{json .}}',
  ],
  'image inspect busybox': [
    '{{.RootFS}} {{.Metadata}} {{.Descriptor}}',
    '{{.Config}}',
    '{{json .Config}}',
    '{{.Config.Hostname}}',
    '{{json .}}',
  ],
  'volume inspect goldenvol': ['{{.}}', '{{.UsageData}} {{.Status}}', '{{.Labels.x}}', '{{json .}}'],
  'network inspect goldennet': ['{{.}}', '{{.Id}}', '{{.ID}} {{.Created}} {{.Peers}}', '{{json .IPAM}}', '{{json .}}'],
  info: ['{{.Foo}}', '{{.Plugins}} {{.Runtimes}}', '{{.Swarm}}', '{{.HttpProxy}}', '{{json .Swarm}} {{json .Plugins}}'],
  version: ['{{.Server}}', '{{.Server.Components}}', '{{.Server.Foo}}', '{{json .Server}}'],
  'context inspect': ['{{.}}', '{{.Endpoints.docker.Host}}', '{{json .}}'],
};

let daemon: TestDaemon;
before(async () => {
  if (!hasDockerCli) return;
  daemon = await TestDaemon.start();
  await daemon.ok('network', 'create', '--subnet', '10.213.0.0/24', 'goldennet');
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'golden',
    '-v',
    'goldenvol:/data',
    '-e',
    'A=b',
    '--label',
    'l1=x',
    '--expose',
    '80',
    'busybox',
    'sh',
    '-c',
    'echo one; echo two; exec sleep 100000',
  );
});
after(async () => {
  if (hasDockerCli) await daemon[Symbol.asyncDispose]();
});

/** Docker's own name in what it prints; ids of containers that each run makes. */
const normal = (text: string): string =>
  text
    .replaceAll('docker', 'gantry')
    .replace(/\b[0-9a-f]{12}\b/g, '<id>')
    .replace(/(Less than a second|\d+ seconds?|About a minute|\d+ minutes) ago */g, '<age> ');

for (const line of LINES)
  test(`gantry ${line.join(' ')} prints and returns what docker does`, { skip: !hasDockerCli }, async () => {
    const docker = await daemon.docker(line);
    const gantry = await daemon.gantry(line);
    assert.equal(normal(gantry.stdout), normal(docker.stdout));
    assert.equal(gantry.code, docker.code, gantry.stderr);
    assert.doesNotMatch(gantry.stderr, /^\s+at .*:\d+:\d+/m, 'a stack trace is no message');
  });

for (const [words, sources] of Object.entries(TEMPLATES))
  test(`templates of ${words} print what docker's do`, { skip: !hasDockerCli }, async () => {
    const call = async (source: string): Promise<void> => {
      const line = [...words.split(' '), '-f', source];
      const [docker, gantry] = await Promise.all([daemon.docker(line), daemon.gantry(line)]);
      assert.equal(normal(gantry.stdout), normal(docker.stdout), source);
      assert.equal(gantry.code, docker.code, gantry.stderr);
    };
    for (const source of sources) await call(source);
  });

test('formats and proxies of config.json count as with docker', { skip: !hasDockerCli }, async () => {
  const config = mkdtempSync(join(tmpdir(), 'gt-config-'));
  const keys = {
    psFormat: '{{.Names}}|{{.Image}}',
    imagesFormat: 'I {{.Repository}}',
    volumesFormat: 'V {{.Name}}',
    networksFormat: 'N {{.Name}}',
    proxies: { default: { httpProxy: 'http://p:1', noProxy: 'a,b', allProxy: 'http://all' } },
  };
  writeFileSync(join(config, 'config.json'), JSON.stringify(keys));
  const environment = ['run', '--rm', '-e', 'no_proxy=own', 'busybox', 'sh', '-c', 'env | grep -i proxy | sort'];
  for (const line of [['ps'], ['ps', '-q'], ['images'], ['volume', 'ls'], ['network', 'ls'], environment]) {
    const env = { DOCKER_CONFIG: config };
    const [docker, gantry] = await Promise.all([daemon.docker(line, { env }), daemon.gantry(line, { env })]);
    assert.equal(gantry.stdout, docker.stdout, line.join(' '));
    assert.equal(gantry.code, 0, gantry.stderr);
    assert.notEqual(gantry.stdout, '');
  }
  rmSync(config, { recursive: true });
});
