import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepRunner } from '../build/index.ts';
import { type Logger, newId } from '../common/index.ts';
import type { NetworkService } from '../network/index.ts';
import {
  type Cgroups,
  type Monitor,
  makeSpec,
  type RuntimeChoice,
  resolveUser,
  type SpecMount,
} from '../runtime/index.ts';
import type { HostConfig } from '../wire/index.ts';
import { rlimitsOf } from './containers/devices.ts';
import { environmentOf } from './containers/environment.ts';
import { etcMounts, hostsLines, hostsText } from './containers/files.ts';
import { accountsOf } from './containers/root-path.ts';

export interface StepParts {
  networks: NetworkService;
  monitor: Monitor;
  cgroups: Cgroups;
  runtime: RuntimeChoice;
  execRoot: string;
  availableCapabilities: readonly string[];
  log: Logger;
}

/** Runs a build step's process as a container of its own, over a root file system that the builder has mounted. */
export function createStepRunner(parts: StepParts): StepRunner {
  return {
    async run(step) {
      const id = newId();
      const directory = join(parts.execRoot, 'steps', id);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const { monitor, networks } = parts;
      const ownNetwork = step.network !== 'host';
      const { extraHosts } = step;
      const dns = { servers: [], search: [], options: [] };
      let created = false;
      try {
        const sandbox = ownNetwork
          ? await networks.openSandbox({
              containerId: id,
              containerName: `build-${id.slice(0, 12)}`,
              hostname: step.hostname,
              endpoints: [
                { network: step.network === 'default' || step.network === '' ? 'bridge' : step.network, settings: {} },
              ],
              ports: {},
              exposed: [],
              publishAll: false,
              sysctls: {},
              dns,
              extraHosts,
            })
          : undefined;
        const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o644 });
        await Promise.all([
          write(
            'hosts',
            sandbox === undefined
              ? (await readFile('/etc/hosts', 'utf8').catch(() => '')) +
                  hostsLines(networks.hostFiles({ dns, extraHosts }).hosts)
              : hostsText(sandbox.hosts),
          ),
          write('resolv.conf', sandbox?.resolvConf ?? (await readFile('/etc/resolv.conf', 'utf8').catch(() => ''))),
          write('hostname', `${step.hostname}\n`),
        ]);
        const { passwd, group } = accountsOf(step.rootfs);
        const { home, ...user } = resolveUser(step.user, [], passwd, group);
        const env = environmentOf({ hostname: step.hostname, tty: false, links: [], given: step.env, home });
        const etc = etcMounts(directory, false);
        const host: HostConfig = { Privileged: step.privileged, ShmSize: step.shmSizeBytes, ...step.resources };
        const spec = makeSpec({
          id,
          args: step.args,
          env,
          cwd: step.cwd,
          user,
          config: { Hostname: step.hostname },
          host,
          rootfs: step.rootfs,
          hostname: step.hostname,
          cgroupsPath: parts.cgroups.pathFor(id, step.cgroupParent),
          cgroupVersion: parts.cgroups.version,
          mounts: [
            ...etc,
            ...step.mounts.map(
              ({ type, source, target, readonly, options }): SpecMount =>
                type === 'tmpfs'
                  ? {
                      destination: target,
                      type: 'tmpfs',
                      source: 'tmpfs',
                      options: ['nosuid', 'nodev', ...(options ?? [])],
                    }
                  : {
                      destination: target,
                      type: 'bind',
                      source: source ?? '',
                      options: ['rbind', readonly ? 'ro' : 'rw', ...(options ?? [])],
                    },
            ),
          ],
          namespaces: {
            network: sandbox?.netnsPath ?? 'host',
            ipc: 'private',
            pid: 'private',
            uts: 'private',
            cgroup: parts.cgroups.version === 2 ? 'private' : '',
          },
          shmPath: undefined,
          devices: [],
          seccomp: undefined,
          noNewPrivileges: false,
          writableCgroups: false,
          initPath: undefined,
          rlimits: rlimitsOf(step.ulimits),
          availableCapabilities: parts.availableCapabilities,
        });
        step.signal.throwIfAborted();
        await monitor.create({
          id,
          name: id,
          spec,
          runtime: parts.runtime,
          terminal: false,
          stdin: false,
          stdinOnce: false,
        });
        created = true;
        const streams = await monitor.attach(id);
        const stop = () => void monitor.kill(id, 9, { all: true }).catch(() => {});
        step.signal.addEventListener('abort', stop);
        try {
          // An abort during create came before anyone listened.
          step.signal.throwIfAborted();
          await monitor.start(id);
          const drained = (async () => {
            for await (const chunk of streams.output) step.onOutput(chunk);
          })();
          const exit = await monitor.wait(id);
          await drained;
          step.signal.throwIfAborted();
          return exit.code;
        } finally {
          step.signal.removeEventListener('abort', stop);
        }
      } finally {
        const guard = (work: Promise<unknown>) =>
          work.catch((error: unknown) => parts.log.warn('build step clean-up', { id, error }));
        if (created) await guard(monitor.delete(id));
        if (ownNetwork) await guard(networks.closeSandbox(id));
        await guard(rm(directory, { recursive: true, force: true }));
      }
    },
  };
}
