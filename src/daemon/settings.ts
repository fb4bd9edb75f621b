import { join } from 'node:path';
import { invalid, LEVELS, type LogLevel } from '../common/index.ts';
import type { GcPolicy } from '../images/index.ts';
import type { NetworkOptions } from '../network/index.ts';
import type { CacheRule } from './builder-setting.ts';
import { readConfigFile } from './config-file.ts';
import { parseFlags } from './flags.ts';
import { DEFAULT_CONFIG_FILE, DEFAULT_HOST, nameOf, OPTIONS, type OptionValue } from './options.ts';
import { checkFixed, checkHost, checkIp, checkLabel, checkLogDriver, checkMirror } from './setting-checks.ts';
import { collection, networkOptions, proxies, runtimes, ulimits } from './setting-groups.ts';

/** What the daemon does, complete: flags and daemon.json joined, defaults filled in, all of it checked. */
export interface Settings {
  hosts: string[];
  tls: { enabled: boolean; verify: boolean; ca: string; cert: string; key: string };
  insecureTcp: boolean;
  group: { name: string; given: boolean };
  dataRoot: string;
  execRoot: string;
  pidfile: string;
  configFile: string;
  debug: boolean;
  logLevel: LogLevel;
  logFormat: 'text' | 'json';
  liveRestore: boolean;
  shutdownTimeoutS: number;
  labels: string[];
  experimental: boolean;
  network: NetworkOptions;
  registries: { insecure: string[]; mirrors: string[]; downloads: number; uploads: number; attempts: number };
  proxies: { http?: string; https?: string; none?: string };
  /** By name; `runc` and `crun` are added from PATH. */
  runtimes: Record<string, { path: string; args: string[] }>;
  defaults: {
    runtime: string | undefined;
    logDriver: string;
    logOptions: Record<string, string>;
    cgroupParent: string | undefined;
    ulimits: { Name: string; Soft: number; Hard: number }[];
    shmSizeBytes: number;
    ipcMode: 'private' | 'shareable';
    cgroupnsMode: 'private' | 'host' | undefined;
    init: boolean;
    initPath: string | undefined;
    noNewPrivileges: boolean;
    seccompProfile: string;
    hostGatewayIps: string[];
  };
  pluginDirs: string[];
  /** `build`: of its cache. `images`: undefined for none. */
  collection: { build: readonly CacheRule[]; images: GcPolicy | undefined };
}

export const PLUGIN_DIRS = ['/run/docker/plugins', '/etc/docker/plugins', '/usr/lib/docker/plugins'];

export interface Invocation {
  settings: Settings;
  help: boolean;
  version: boolean;
  validate: boolean;
}

/** Reads the command line and the file that it names. Throws invalid in dockerd's words. */
export function readInvocation(args: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  const flags = parseFlags(args);
  const asked = (name: string) => flags.get(name) === true;
  const short = { help: asked('help'), version: asked('version'), validate: asked('validate') };
  if (short.help || short.version) return { settings: settingsFrom(new Map(), env), ...short };
  return { settings: readSettings(flags, env), ...short };
}

/** Also for a reload: the same flags over the file as it is now. */
export function readSettings(flags: ReadonlyMap<string, OptionValue>, env: NodeJS.ProcessEnv): Settings {
  const path = (flags.get('config-file') as string | undefined) ?? DEFAULT_CONFIG_FILE;
  return settingsFrom(new Map([...readConfigFile(path, flags), ...flags]), env);
}

const saysNo = (value: OptionValue): boolean =>
  value === false ||
  value === '' ||
  value === 0 ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

export function settingsFrom(values: ReadonlyMap<string, OptionValue>, env: NodeJS.ProcessEnv): Settings {
  for (const spec of OPTIONS) {
    const value = values.get(nameOf(spec));
    if (spec.refused !== undefined && value !== undefined && !saysNo(value))
      throw invalid(`${nameOf(spec)} is not supported: ${spec.refused}`);
  }
  const text = (name: string): string | undefined => (values.get(name) as string | undefined) || undefined;
  const flag = (name: string, otherwise = false): boolean => (values.get(name) as boolean | undefined) ?? otherwise;
  const list = (name: string): string[] => (values.get(name) as string[] | undefined) ?? [];
  const map = (name: string): Record<string, string> => (values.get(name) as Record<string, string> | undefined) ?? {};
  const int = (name: string, otherwise: number, least: number): number => {
    const value = (values.get(name) as number | undefined) ?? otherwise;
    if (value < least) throw invalid(`invalid ${name}: ${value}`);
    return value;
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T => {
    const value = text(name) ?? otherwise;
    if (!(allowed as readonly string[]).includes(value))
      throw invalid(`invalid ${name}: ${value} (allowed: ${allowed.join(', ')})`);
    return value as T;
  };
  const verify = flag('tlsverify');
  const certificates = env.DOCKER_CERT_PATH || join(env.HOME || '/root', '.docker');
  const debug = flag('debug');
  checkFixed(text, list, map);
  return {
    hosts: list('hosts').length === 0 ? [DEFAULT_HOST] : list('hosts').map(checkHost),
    tls: {
      enabled: verify || flag('tls'),
      verify,
      ca: text('tlscacert') ?? join(certificates, 'ca.pem'),
      cert: text('tlscert') ?? join(certificates, 'cert.pem'),
      key: text('tlskey') ?? join(certificates, 'key.pem'),
    },
    insecureTcp: flag('insecure-tcp'),
    group: { name: text('group') ?? 'docker', given: text('group') !== undefined },
    dataRoot: text('data-root') ?? '/var/lib/gantry',
    execRoot: text('exec-root') ?? '/run/gantry',
    pidfile: text('pidfile') ?? '/run/gantry/gantryd.pid',
    configFile: text('config-file') ?? DEFAULT_CONFIG_FILE,
    debug,
    logLevel: debug ? 'debug' : oneOf('log-level', LEVELS, 'info'),
    logFormat: oneOf('log-format', ['text', 'json'], 'text'),
    liveRestore: flag('live-restore'),
    shutdownTimeoutS: int('shutdown-timeout', 15, -1),
    labels: list('labels').map(checkLabel),
    experimental: flag('experimental'),
    network: networkOptions(values, { text, flag, list }),
    registries: {
      insecure: list('insecure-registries'),
      mirrors: list('registry-mirrors').map(checkMirror),
      downloads: int('max-concurrent-downloads', 3, 1),
      uploads: int('max-concurrent-uploads', 5, 1),
      attempts: int('max-download-attempts', 5, 1),
    },
    proxies: proxies(values, text),
    runtimes: runtimes(values, list),
    defaults: {
      runtime: text('default-runtime'),
      logDriver: checkLogDriver(text('log-driver') ?? 'json-file'),
      logOptions: map('log-opts'),
      cgroupParent: text('cgroup-parent'),
      ulimits: ulimits(values, list),
      shmSizeBytes: int('default-shm-size', 64 * 1024 * 1024, 1),
      ipcMode: oneOf('default-ipc-mode', ['private', 'shareable'], 'private'),
      cgroupnsMode:
        text('default-cgroupns-mode') === undefined
          ? undefined
          : oneOf<'private' | 'host'>('default-cgroupns-mode', ['private', 'host'], 'host'),
      init: flag('init'),
      initPath: text('init-path'),
      noNewPrivileges: flag('no-new-privileges'),
      seccompProfile: text('seccomp-profile') ?? 'builtin',
      hostGatewayIps: [...list('host-gateway-ips'), text('host-gateway-ip')]
        .filter((ip) => ip !== undefined)
        .map((ip) => checkIp('host-gateway-ip', ip)),
    },
    pluginDirs: list('plugin-dirs').length === 0 ? PLUGIN_DIRS : list('plugin-dirs'),
    collection: collection(values),
  };
}

/** The settings of a reload: the changeable ones as wanted, all others as they are (moby daemon/reload.go). */
export function reloaded(current: Settings, wanted: Settings): Settings {
  return {
    ...current,
    debug: wanted.debug,
    logLevel: wanted.logLevel,
    labels: wanted.labels,
    liveRestore: wanted.liveRestore,
    shutdownTimeoutS: wanted.shutdownTimeoutS,
    experimental: wanted.experimental,
    registries: { ...current.registries, insecure: wanted.registries.insecure, mirrors: wanted.registries.mirrors },
    runtimes: wanted.runtimes,
    defaults: wanted.defaults,
    collection: wanted.collection,
  };
}
