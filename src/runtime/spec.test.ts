import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_CAPABILITIES, makeSpec } from './index.ts';

describe('runtime spec', () => {
  const seccompOf = (privileged: boolean, seccomp: string | undefined) => {
    const spec = makeSpec({
      id: 'c',
      args: ['true'],
      env: [],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      config: {} as never,
      host: { Privileged: privileged } as never,
      rootfs: '/root',
      hostname: 'h',
      cgroupsPath: '/c',
      cgroupVersion: 2,
      mounts: [],
      namespaces: { network: 'private', ipc: 'private', pid: 'private', uts: 'private', cgroup: '' },
      shmPath: undefined,
      devices: [],
      seccomp,
      noNewPrivileges: false,
      writableCgroups: false,
      initPath: undefined,
      rlimits: [],
      availableCapabilities: DEFAULT_CAPABILITIES,
    });
    return (spec.linux as { seccomp?: { defaultAction: string } }).seccomp?.defaultAction;
  };

  it('leaves a privileged container unconfined unless a seccomp profile was asked for', () => {
    const profile = JSON.stringify({ defaultAction: 'SCMP_ACT_LOG', syscalls: [] });
    assert.equal(seccompOf(false, undefined), 'SCMP_ACT_ERRNO');
    assert.equal(seccompOf(false, 'unconfined'), undefined);
    assert.equal(seccompOf(true, undefined), undefined);
    assert.equal(seccompOf(true, 'unconfined'), undefined);
    assert.equal(seccompOf(true, profile), 'SCMP_ACT_LOG');
  });
});
