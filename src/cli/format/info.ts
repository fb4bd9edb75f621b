import { binarySize } from './size.ts';

type Info = Record<string, unknown>;
const list = (value: unknown): string => ((value as string[] | null) ?? []).join(' ');

/** `info` as text (docker/cli system/info.go prettyPrintServerInfo). */
export function infoText(info: Info, client: { Version: string; Context: string; Debug: boolean }): string {
  let out = `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n\nServer:\n`;
  if (info.ServerVersion === undefined) return out;
  const line = (label: string, value: unknown): void => {
    out += ` ${label}: ${value}\n`;
  };
  const given = (label: string, value: unknown): void => {
    if (value !== undefined && value !== null && value !== '') line(label, value);
  };
  for (const [label, key] of [
    ['Containers', 'Containers'],
    [' Running', 'ContainersRunning'],
    [' Paused', 'ContainersPaused'],
    [' Stopped', 'ContainersStopped'],
    ['Images', 'Images'],
  ] as const)
    line(label, info[key]);
  given('Server Version', info.ServerVersion);
  line('Storage Driver', info.Driver);
  for (const [key, value] of (info.DriverStatus as [string, string][] | null) ?? []) line(` ${key}`, value);
  given('Logging Driver', info.LoggingDriver);
  given('Cgroup Driver', info.CgroupDriver);
  given('Cgroup Version', info.CgroupVersion);
  const plugins = (info.Plugins ?? {}) as {
    Volume?: string[];
    Network?: string[];
    Authorization?: string[];
    Log?: string[];
  };
  out += ` Plugins:\n  Volume: ${list(plugins.Volume)}\n  Network: ${list(plugins.Network)}\n`;
  if (plugins.Authorization?.length) out += `  Authorization: ${list(plugins.Authorization)}\n`;
  out += `  Log: ${list(plugins.Log)}\n`;
  const cdi = info.CDISpecDirs as string[] | null | undefined;
  if (cdi?.length) out += ` CDI spec directories:\n${cdi.map((dir) => `  ${dir}\n`).join('')}`;
  line('Swarm', (info.Swarm as { LocalNodeState?: string } | undefined)?.LocalNodeState ?? 'inactive');
  out += runtimeLines(info);
  const security = securityLines(info.SecurityOptions as string[] | null);
  if (security !== '') out += ` Security Options:\n${security}`;
  given('Kernel Version', info.KernelVersion);
  given('Operating System', info.OperatingSystem);
  given('OSType', info.OSType);
  given('Architecture', info.Architecture);
  line('CPUs', info.NCPU);
  line('Total Memory', binarySize(Number(info.MemTotal ?? 0)));
  given('Name', info.Name);
  given('ID', info.ID);
  line('Docker Root Dir', info.DockerRootDir);
  line('Debug Mode', info.Debug);
  for (const [label, key] of [
    ['HTTP Proxy', 'HttpProxy'],
    ['HTTPS Proxy', 'HttpsProxy'],
    ['No Proxy', 'NoProxy'],
  ] as const)
    given(label, info[key]);
  const labels = info.Labels as string[] | null;
  if (labels?.length) out += ` Labels:\n${labels.map((label) => `  ${label}\n`).join('')}`;
  line('Experimental', info.ExperimentalBuild);
  out += registryLines(info);
  line('Live Restore Enabled', info.LiveRestoreEnabled);
  const pools = info.DefaultAddressPools as { Base: string; Size: number }[] | null | undefined;
  if (pools?.length)
    out += ` Default Address Pools:\n${pools.map(({ Base, Size }) => `   Base: ${Base}, Size: ${Size}\n`).join('')}`;
  return `${out}\n`;
}

function runtimeLines(info: Info): string {
  if (info.OSType !== 'linux') return '';
  const commit = (value: unknown): string => (value as { ID?: string } | undefined)?.ID ?? '';
  let out = ` Runtimes: ${Object.keys((info.Runtimes ?? {}) as object)
    .toSorted()
    .join(' ')}\n Default Runtime: ${info.DefaultRuntime}\n`;
  if (info.InitBinary) out += ` Init Binary: ${info.InitBinary}\n`;
  return `${out} containerd version: ${commit(info.ContainerdCommit)}\n runc version: ${commit(info.RuncCommit)}\n init version: ${commit(info.InitCommit)}\n`;
}

/** `name=seccomp,profile=builtin` as two lines. */
function securityLines(options: string[] | null): string {
  let out = '';
  for (const option of options ?? []) {
    const pairs = option.split(',').map((pair) => pair.split('=') as [string, string]);
    for (const [key, value] of pairs) {
      if (key === 'name') out += `  ${value}\n`;
      else out += `   ${key === 'profile' ? 'Profile' : key}: ${value}\n`;
    }
  }
  return out;
}

function registryLines(info: Info): string {
  const config = info.RegistryConfig as
    | {
        InsecureRegistryCIDRs?: string[] | null;
        IndexConfigs?: Record<string, { Secure: boolean; Name: string }>;
        Mirrors?: string[] | null;
      }
    | undefined;
  let out = '';
  const insecure = [
    ...Object.values(config?.IndexConfigs ?? {})
      .filter((index) => !index.Secure)
      .map((index) => index.Name),
    ...(config?.InsecureRegistryCIDRs ?? []),
  ];
  if (insecure.length > 0) out += ` Insecure Registries:\n${insecure.map((name) => `  ${name}\n`).join('')}`;
  if (config?.Mirrors?.length) out += ` Registry Mirrors:\n${config.Mirrors.map((name) => `  ${name}\n`).join('')}`;
  return out;
}
