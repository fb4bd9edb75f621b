import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { invalid, LEVELS, type LogLevel, parseBytes } from '../common/index.ts';
import type { NetworkOptions } from '../network/index.ts';
import { readConfigFile } from './config-file.ts';
import { parseFlags } from './flags.ts';
import { DEFAULT_CONFIG_FILE, DEFAULT_HOST, nameOf, OPTIONS, type OptionValue } from './options.ts';

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
  /** Of the build cache. */
  collection: { enabled: boolean; keepBytes: number | undefined };
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
      hostGatewayIps: list('host-gateway-ips').map((ip) => checkIp('host-gateway-ip', ip)),
    },
    pluginDirs: list('plugin-dirs').length === 0 ? PLUGIN_DIRS : list('plugin-dirs'),
    collection: collection(values),
  };
}

/** What logs can be written by (src/engine/logs). */
export const LOG_DRIVERS = ['json-file', 'local', 'none'] as const;

interface Readers {
  text(name: string): string | undefined;
  flag(name: string, otherwise?: boolean): boolean;
  list(name: string): string[];
}

/** Options with one value only: said is accepted, anything else refused. */
function checkFixed(text: Readers['text'], list: Readers['list'], map: (name: string) => Record<string, string>): void {
  const driver = text('storage-driver') ?? 'overlay2';
  if (driver !== 'overlay2' && driver !== 'overlayfs')
    throw invalid(`storage-driver ${driver} is not supported: overlay2 is the only one`);
  for (const option of list('exec-opts'))
    if (option !== 'native.cgroupdriver=cgroupfs')
      throw invalid(`exec-opt ${option} is not supported: native.cgroupdriver=cgroupfs is the only one`);
  for (const [name, value] of Object.entries(map('features'))) {
    if (name !== 'buildkit' && name !== 'containerd-snapshotter' && name !== 'cdi')
      throw invalid(`unknown feature: ${name}`);
    if (value !== 'false') throw invalid(`feature ${name} is not supported: it may only be false`);
  }
}

function checkHost(host: string): string {
  const match = /^(unix|tcp|fd):\/\/(.*)$/.exec(host);
  if (match === null)
    throw invalid(`invalid bind address (${host}): unsupported protocol, use unix://, tcp:// or fd://`);
  if (match[1] === 'unix' && !match[2]?.startsWith('/'))
    throw invalid(`invalid bind address (${host}): an absolute path is needed`);
  return host;
}

function checkIp(name: string, ip: string): string {
  if (isIP(ip) === 0) throw invalid(`invalid ${name}: ${ip} is not an IP address`);
  return ip;
}

function checkCidr(name: string, text: string | undefined, family: 4 | 6): string | undefined {
  if (text === undefined) return undefined;
  const [address = '', bits = ''] = text.split('/');
  if (isIP(address) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    throw invalid(`invalid ${name}: invalid CIDR address: ${text}`);
  return text;
}

function checkLogDriver(driver: string): string {
  if (!(LOG_DRIVERS as readonly string[]).includes(driver))
    throw invalid(`logger: no log driver named '${driver}' is registered (there are ${LOG_DRIVERS.join(', ')})`);
  return driver;
}

function checkLabel(label: string): string {
  if (!/^[^=\s]+=/.test(label)) throw invalid(`bad attribute format: ${label}`);
  return label;
}

function checkMirror(mirror: string): string {
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  const plain =
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '';
  if (!plain)
    throw invalid(
      `invalid mirror: ${JSON.stringify(mirror)} must be an http or https URL without user, query and fragment`,
    );
  return mirror;
}

const Pools = z.array(z.object({ base: z.string(), size: z.number().int().min(0).max(128) }));

function networkOptions(values: ReadonlyMap<string, OptionValue>, { text, flag, list }: Readers): NetworkOptions {
  const rules = flag('iptables', true);
  if (flag('ip6tables', rules) !== rules)
    throw invalid('ip6tables must be as iptables: one table has the rules of both');
  const ip = text('ip');
  if (ip !== undefined) checkIp('ip', ip);
  const dns = list('dns');
  for (const server of dns) checkIp('dns', server);
  const mtu = values.get('mtu') as number | undefined;
  if (mtu !== undefined && (mtu < 68 || mtu > 65535)) throw invalid(`invalid mtu: ${mtu}`);
  const options: NetworkOptions = {
    bip: checkCidr('bip', text('bip'), 4),
    bip6: checkCidr('bip6', text('bip6'), 6),
    bridge: text('bridge'),
    fixedCidr: checkCidr('fixed-cidr', text('fixed-cidr'), 4),
    fixedCidrV6: checkCidr('fixed-cidr-v6', text('fixed-cidr-v6'), 6),
    defaultGateway: text('default-gateway'),
    defaultGatewayV6: text('default-gateway-v6'),
    mtu,
    icc: flag('icc', true),
    ipv6: flag('ipv6'),
    ipForward: flag('ip-forward', true),
    ipMasq: flag('ip-masq', true),
    rules,
    ip,
    dns,
    dnsSearch: list('dns-search'),
    dnsOptions: list('dns-opts'),
    defaultNetworkOptions: networkDefaults(values, list),
    respectHostFirewall: flag('respect-host-firewall'),
  };
  if (options.bip !== undefined && options.bridge !== undefined)
    throw invalid('you specified -b & --bip, mutually exclusive options. Please specify only one');
  const pools = addressPools(values, list);
  if (pools !== undefined) options.defaultAddressPools = pools;
  return options;
}

function addressPools(
  values: ReadonlyMap<string, OptionValue>,
  list: Readers['list'],
): NetworkOptions['defaultAddressPools'] {
  const given = list('default-address-pool').map((text) => {
    const parts = new Map(
      text.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
    );
    const [base, size] = [parts.get('base'), Number(parts.get('size'))];
    if (base === undefined || !Number.isInteger(size))
      throw invalid(`invalid default-address-pool: ${text} (base=CIDR,size=N is needed)`);
    return { base, size };
  });
  const file = values.get('default-address-pools');
  const pools = file === undefined ? given : parse('default-address-pools', Pools, file);
  return pools.length === 0 ? undefined : pools;
}

function networkDefaults(
  values: ReadonlyMap<string, OptionValue>,
  list: Readers['list'],
): Record<string, string> | undefined {
  const file = values.get('default-network-opts');
  const byDriver =
    file === undefined
      ? {}
      : parse('default-network-opts', z.record(z.string(), z.record(z.string(), z.string())), file);
  for (const driver of Object.keys(byDriver))
    if (driver !== 'bridge') throw invalid(`default-network-opts of ${driver} are not supported: only those of bridge`);
  const options: Record<string, string> = { ...byDriver.bridge };
  for (const text of list('default-network-opt')) {
    const match = /^([^=]+)=([^=]+)=(.*)$/.exec(text);
    if (match === null || match[1] !== 'bridge')
      throw invalid(`invalid default-network-opt: ${text} (bridge=key=value is needed)`);
    options[match[2] as string] = match[3] as string;
  }
  return Object.keys(options).length === 0 ? undefined : options;
}

function parse<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(`invalid ${[name, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'wrong form'}`);
}

function proxies(values: ReadonlyMap<string, OptionValue>, text: Readers['text']): Settings['proxies'] {
  const Proxies = z.strictObject({
    'http-proxy': z.string().optional(),
    'https-proxy': z.string().optional(),
    'no-proxy': z.string().optional(),
  });
  const file = parse('proxies', Proxies, values.get('proxies') ?? {});
  return {
    http: text('http-proxy') ?? file['http-proxy'],
    https: text('https-proxy') ?? file['https-proxy'],
    none: text('no-proxy') ?? file['no-proxy'],
  };
}

function runtimes(values: ReadonlyMap<string, OptionValue>, list: Readers['list']): Settings['runtimes'] {
  const Runtimes = z.record(
    z.string(),
    z.strictObject({ path: z.string().min(1), runtimeArgs: z.array(z.string()).nullish() }),
  );
  const file = parse('runtimes', Runtimes, values.get('runtimes') ?? {});
  const found = Object.entries(file).map(
    ([name, { path, runtimeArgs }]) => [name, { path, args: runtimeArgs ?? [] }] as const,
  );
  const given = list('add-runtime').map((text) => {
    const cut = text.indexOf('=');
    if (cut < 1 || cut === text.length - 1) throw invalid(`invalid runtime argument: ${text}`);
    return [
      text.slice(0, cut).trim().toLowerCase(),
      { path: text.slice(cut + 1).trim(), args: [] as string[] },
    ] as const;
  });
  const names = given.map(([name]) => name);
  for (const name of names)
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw invalid(`runtime '${name}' was already defined`);
  return Object.fromEntries([...found, ...given]);
}

function ulimits(values: ReadonlyMap<string, OptionValue>, list: Readers['list']): Settings['defaults']['ulimits'] {
  const Ulimits = z.record(
    z.string(),
    z.object({ Name: z.string().optional(), Soft: z.number().int(), Hard: z.number().int() }),
  );
  const file = parse('default-ulimits', Ulimits, values.get('default-ulimits') ?? {});
  const given = list('default-ulimit').map((text) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
    if (match === null) throw invalid(`invalid ulimit argument: ${text}`);
    const [soft, hard] = [Number(match[2]), Number(match[3] ?? match[2])];
    if (hard !== -1 && (soft === -1 || soft > hard))
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    return { Name: match[1] as string, Soft: soft, Hard: hard };
  });
  return [...Object.entries(file).map(([name, { Soft, Hard }]) => ({ Name: name, Soft, Hard })), ...given];
}

function collection(values: ReadonlyMap<string, OptionValue>): Settings['collection'] {
  const size = z.union([z.string(), z.number().int()]).optional();
  const Builder = z.strictObject({
    gc: z
      .strictObject({ enabled: z.boolean().optional(), defaultKeepStorage: size, defaultReservedSpace: size })
      .optional(),
  });
  const { gc } = parse('builder', Builder, values.get('builder') ?? {});
  const keep = gc?.defaultReservedSpace ?? gc?.defaultKeepStorage;
  return {
    enabled: gc?.enabled ?? true,
    keepBytes: keep === undefined ? undefined : typeof keep === 'number' ? keep : parseBytes(keep),
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
