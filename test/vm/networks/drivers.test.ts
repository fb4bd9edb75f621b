import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { execute, TestDaemon } from '../../support/index.ts';

/** Drivers and protocols that need modules of the kernel. */
describe('network drivers', () => {
  let daemon: TestDaemon;
  before(async () => {
    await shell('ip link add parent0 type dummy && ip link set parent0 up');
    daemon = await TestDaemon.start();
  });
  after(() => daemon[Symbol.asyncDispose]());

  afterEach(async () => {
    const left = await daemon.ok('ps', '-aq');
    if (left !== '') await daemon.ok('rm', '-f', ...left.split('\n'));
    await daemon.ok('network', 'prune', '-f');
  });

  async function shell(script: string): Promise<string> {
    const outcome = await execute('sh', ['-ec', script]);
    assert.equal(outcome.code, 0, `${script}\n${outcome.stdout}\n${outcome.stderr}`);
    return outcome.stdout.trim();
  }
  const sleeper = (name: string, ...flags: string[]) =>
    daemon.ok('run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');
  const reaches = (from: string, to: string) => daemon.gantry(['exec', from, 'ping', '-c', '1', '-W', '5', to]);
  const kindOf = async (name: string) =>
    shell(`nsenter -t ${await daemon.ok('inspect', '-f', '{{.State.Pid}}', name)} -n ip -d link show eth0`);

  for (const [driver, kind, ...options] of [
    ['macvlan', /macvlan mode bridge/],
    ['macvlan', /macvlan mode vepa/, '-o', 'macvlan_mode=vepa'],
    ['ipvlan', /ipvlan +mode l2/],
    ['ipvlan', /ipvlan +mode l3/, '-o', 'ipvlan_mode=l3'],
  ] as const)
    it(`${driver} ${options.join(' ')}`, async () => {
      await daemon.ok(
        'network',
        'create',
        '-d',
        driver,
        '--subnet',
        '10.9.0.0/24',
        '-o',
        'parent=parent0',
        ...options,
        'vlan',
      );
      await sleeper('one', '--network', 'vlan', '--ip', '10.9.0.10');
      await sleeper('two', '--network', 'vlan');
      assert.match(await kindOf('one'), kind);
      // A switch outside would have to send a vepa's frames back.
      if (!kind.source.includes('vepa'))
        for (const [from, to] of [
          ['two', '10.9.0.10'],
          ['two', 'one'],
          ['one', 'two'],
        ] as const)
          assert.equal((await reaches(from, to)).code, 0, `${from} to ${to}`);
      await daemon.ok('rm', '-f', 'one', 'two');
      await daemon.ok('network', 'rm', 'vlan');
      assert.match(await shell('ip -o link show'), /parent0/);
    });

  it('a VLAN of the parent is made and removed with its network', async () => {
    await daemon.ok(
      'network',
      'create',
      '-d',
      'macvlan',
      '--subnet',
      '10.10.0.0/24',
      '-o',
      'parent=parent0.50',
      'tagged',
    );
    assert.match(await shell('ip -d link show parent0.50'), /vlan protocol 802.1Q id 50/);
    await sleeper('one', '--network', 'tagged', '--ip', '10.10.0.10');
    await sleeper('two', '--network', 'tagged');
    assert.equal((await reaches('two', '10.10.0.10')).code, 0);
    await daemon.ok('rm', '-f', 'one', 'two');
    await daemon.ok('network', 'rm', 'tagged');
    assert.doesNotMatch(await shell('ip -o link show'), /parent0\.50/);
  });

  it('without a parent it is a network of its own', async () => {
    await daemon.ok('network', 'create', '-d', 'macvlan', '--internal', 'alone');
    await sleeper('one', '--network', 'alone');
    await sleeper('two', '--network', 'alone');
    assert.equal((await reaches('one', 'two')).code, 0);
    await daemon.ok('rm', '-f', 'one', 'two');
    await daemon.ok('network', 'rm', 'alone');
    assert.doesNotMatch(await shell('ip -o link show'), /dm-/);
  });

  it('an SCTP port is published', async () => {
    await sleeper('served', '-p', '7000:7001/sctp');
    assert.equal(await daemon.ok('port', 'served'), '7001/sctp -> 0.0.0.0:7000\n7001/sctp -> [::]:7000');
    const pid = await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'served');
    // Address family 2, stream, IPPROTO_SCTP.
    const server =
      'use Socket; socket(S,2,1,132)||die"$!";bind(S,sockaddr_in(7001,INADDR_ANY))||die;listen(S,1)||die;accept(C,S);print C "over sctp\\n"; close C; sleep 2';
    const serving = execute('nsenter', ['-t', pid, '-n', 'perl', '-e', server]);
    const client =
      'use Socket; socket(S,2,1,132)||die"$!";connect(S,sockaddr_in(7000,inet_aton($ARGV[0])))||die"$!";print scalar <S>';
    const gateway = await daemon.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'bridge');
    assert.equal(await shell(`sleep 2; perl -e '${client}' ${gateway}`), 'over sctp');
    assert.equal((await serving).code, 0);
    await daemon.ok('rm', '-f', 'served');
  });
});
