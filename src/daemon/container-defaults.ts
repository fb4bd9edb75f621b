import type { ContainerService } from '../engine/index.ts';
import type { CreateContainerBody, HostConfig } from '../wire/index.ts';
import type { Settings } from './settings.ts';

/** Fills in what the daemon's configuration says for containers that do not say it themselves. */
export function withDefaults(
  containers: ContainerService,
  defaults: () => Settings['defaults'],
  seccompProfile: () => string | undefined,
): ContainerService {
  return new Proxy(containers, {
    get(target, property) {
      if (property === 'create')
        return (body: CreateContainerBody, options: { name?: string; platform?: string }) =>
          target.create(fill(body, defaults(), seccompProfile()), options);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export function fill(
  body: CreateContainerBody,
  defaults: Settings['defaults'],
  seccompProfile: string | undefined,
): CreateContainerBody {
  const host = { ...body.HostConfig } as HostConfig;
  host.IpcMode ||= defaults.ipcMode;
  host.CgroupnsMode ||= host.Privileged ? undefined : defaults.cgroupnsMode;
  host.Init ??= defaults.init || undefined;
  if (defaults.hostGatewayIps.length > 0 && host.ExtraHosts)
    host.ExtraHosts = host.ExtraHosts.flatMap((line) => gatewayLines(line, defaults.hostGatewayIps));
  const given = host.SecurityOpt ?? [];
  const says = (name: string) =>
    given.some((option) => option === name || option.startsWith(`${name}=`) || option.startsWith(`${name}:`));
  const added: string[] = [];
  if (defaults.noNewPrivileges && !says('no-new-privileges')) added.push('no-new-privileges');
  if (seccompProfile !== undefined && !says('seccomp') && !host.Privileged) added.push(`seccomp=${seccompProfile}`);
  if (added.length > 0) host.SecurityOpt = [...given, ...added];
  return { ...body, HostConfig: host };
}

/** `name:host-gateway` with the daemon's own idea of that address, one line for each. */
function gatewayLines(line: string, ips: readonly string[]): string[] {
  const match = /^(.+?)[:=]host-gateway$/.exec(line);
  return match === null ? [line] : ips.map((ip) => `${match[1]}:${ip}`);
}
