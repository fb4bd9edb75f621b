import { randomBytes } from 'node:crypto';
import { forbidden, invalid, newId, notFound, notGoBool, nowText, parseGoBool, unsupported } from '../common/index.ts';
import type { CreateNetworkBody, IPAMPool } from '../wire/index.ts';
import { addressFromBytes, formatAddress, formatPrefix, type Prefix, parseAddress, parsePrefix } from './address.ts';
import { listed } from './endpoint-requests.ts';
import {
  type AddressSpace,
  chooseSubnet,
  DEFAULT_SPACES,
  defaultGateway,
  type Pool,
  planPool,
  poolFaults,
} from './ipam.ts';
import type { NetworkOptions } from './options.ts';
import { isInterfaceName } from './plumbing.ts';
import { gatewayMode } from './rules.ts';
import type { StoredNetwork } from './store.ts';

/** Makes records of networks out of requests; touches nothing. */
const BRIDGE = 'com.docker.network.bridge.';
const MTU = 'com.docker.network.driver.mtu';

export interface Surroundings {
  /** Blocks in use by networks of this daemon. */
  networks: readonly Prefix[];
  /** Blocks the machine routes or has addresses in (other daemons' bridges among them). */
  machine: readonly Prefix[];
  options: NetworkOptions;
  instance: string;
}

const DRIVERS = ['bridge', 'macvlan', 'ipvlan'] as const;
type Driver = (typeof DRIVERS)[number];
const isDriver = (name: string): name is Driver => (DRIVERS as readonly string[]).includes(name);

/** A unique local /64 per network (RFC 4193). */
function uniqueLocalSpace(): AddressSpace {
  const bytes = Buffer.concat([Buffer.from([0xfd]), randomBytes(5), Buffer.alloc(10)]);
  return { base: formatPrefix({ ...addressFromBytes(bytes), length: 48 }), size: 64 };
}

const unparsed = (key: string, value: string, reason: string) =>
  invalid(`failed to parse ${key} value: ${value} (${reason})`);

function boolean(options: Record<string, string>, key: string): void {
  const value = options[key];
  if (value !== undefined && parseGoBool(value) === undefined) throw unparsed(key, value, notGoBool(value));
}

function checkBridgeOptions(options: Record<string, string>): void {
  for (const key of ['enable_icc', 'enable_ip_masquerade', 'inhibit_ipv4', 'default_bridge'])
    boolean(options, `${BRIDGE}${key}`);
  const mtu = options[MTU];
  if (mtu !== undefined && !/^\d+$/.test(mtu))
    throw /^-\d+$/.test(mtu)
      ? invalid(`invalid MTU number: ${mtu}`)
      : unparsed(MTU, mtu, `strconv.Atoi: parsing "${mtu}": invalid syntax`);
  const name = options[`${BRIDGE}name`];
  if (name !== undefined && name !== '' && !isInterfaceName(name)) throw invalid(`invalid bridge name: ${name}`);
  for (const family of [4, 6]) {
    const mode = options[`${BRIDGE}gateway_mode_ipv${family}`];
    if (mode !== undefined && !['nat', 'nat-unprotected', 'routed', 'isolated'].includes(mode))
      throw unparsed(`${BRIDGE}gateway_mode_ipv${family}`, mode, `unknown gateway mode ${mode}`);
    const host = options[`com.docker.network.host_ipv${family}`];
    if (host !== undefined && parseAddress(host)?.family !== family)
      throw invalid(`invalid address for host_ipv${family}: ${host}`);
  }
  const binding = options[`${BRIDGE}host_binding_ipv4`];
  if (binding !== undefined && parseAddress(binding) === undefined)
    throw unparsed(`${BRIDGE}host_binding_ipv4`, binding, 'nil ip');
}

function choosePool(family: 4 | 6, around: Surroundings, gatewayNeeded: boolean): Pool {
  const spaces = around.options.defaultAddressPools;
  const given = spaces !== undefined && spaces.length > 0 ? spaces : DEFAULT_SPACES;
  const ofFamily = given.some((space) => parsePrefix(space.base)?.family === family);
  const subnet = chooseSubnet(family, ofFamily ? given : [uniqueLocalSpace()], [...around.networks, ...around.machine]);
  const pool: Pool = { subnet: formatPrefix(subnet), aux: {}, configured: false };
  if (gatewayNeeded) pool.gateway = formatAddress(defaultGateway(pool));
  return pool;
}

function planPools(
  requests: readonly IPAMPool[],
  around: Surroundings,
  wants: { ipv4: boolean; ipv6: boolean; gateway: (family: 4 | 6) => boolean; single: boolean },
): Pool[] {
  const pools: Pool[] = [];
  const taken = [...around.networks];
  for (const family of [4, 6] as const) {
    if (!(family === 4 ? wants.ipv4 : wants.ipv6)) continue;
    const own = requests.filter(
      (request) => request.Subnet !== undefined && parsePrefix(request.Subnet)?.family === family,
    );
    if (wants.single && own.length > 1) throw forbidden("bridge driver doesn't support multiple subnets");
    for (const request of own) {
      const pool = planPool(request, { gatewayNeeded: wants.gateway(family), taken });
      taken.push(parsePrefix(pool.subnet)!);
      pools.push(pool);
    }
    if (own.length === 0) pools.push(choosePool(family, around, wants.gateway(family)));
  }
  return pools;
}

function refuseUnsupported(body: CreateNetworkBody, driver: string): asserts driver is Driver {
  if (driver === 'host' || driver === 'null') throw forbidden(`only one instance of "${driver}" network is allowed`);
  if (driver === 'overlay')
    throw unsupported(
      'the overlay driver needs a cluster, and Gantry runs on one machine: use bridge, macvlan or ipvlan',
    );
  if (!isDriver(driver)) throw notFound(`plugin "${driver}" not found`);
  if (body.Ingress === true) throw unsupported('ingress networks need a cluster, and Gantry runs on one machine');
  const scope = body.Scope ?? '';
  if (scope !== '' && scope !== 'local')
    throw unsupported(`networks of scope ${scope} are not supported: Gantry runs on one machine`);
  const ipam = body.IPAM?.Driver ?? '';
  if (ipam !== '' && ipam !== 'default' && ipam !== 'null') throw notFound(`plugin "${ipam}" not found`);
}

/** A network that is only a configuration for others (`--config-only`). */
function defineConfiguration(body: CreateNetworkBody): StoredNetwork {
  if ((body.ConfigFrom?.Network ?? '') !== '')
    throw forbidden('a configuration network cannot depend on another configuration network');
  const requests = body.IPAM?.Config ?? [];
  const faults = poolFaults(requests, body.EnableIPv6 ?? false);
  if (faults.length > 0) throw invalid(`invalid network config:\n${listed(faults)}`);
  return {
    id: newId(),
    name: body.Name ?? '',
    driver: 'null',
    options: body.Options ?? {},
    labels: body.Labels ?? {},
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ipv4: body.EnableIPv4 ?? true,
    ipv6: body.EnableIPv6 ?? false,
    created: nowText(),
    ipamDriver: body.IPAM?.Driver || 'default',
    ipamOptions: body.IPAM?.Options ?? null,
    pools: [],
    idlePools: requests,
    configOnly: true,
    link: '',
    foreignLink: false,
  };
}

/** A request for a network made from a configuration network: what that one says takes the place of what the request may not say. */
export function fromConfiguration(body: CreateNetworkBody, configuration: StoredNetwork): CreateNetworkBody {
  const own = (body.IPAM?.Config ?? []).length > 0 || Object.keys(body.Options ?? {}).length > 0;
  if (own || Object.keys(body.Labels ?? {}).length > 0)
    throw forbidden(
      'user specified configurations are not supported if the network depends on a configuration network',
    );
  return {
    ...body,
    EnableIPv4: configuration.ipv4,
    EnableIPv6: configuration.ipv6,
    Internal: configuration.internal,
    Options: configuration.options,
    Labels: configuration.labels,
    IPAM: {
      Driver: configuration.ipamDriver,
      Options: configuration.ipamOptions ?? undefined,
      Config: configuration.idlePools ?? [],
    },
  };
}

/** The record of a network that a client asked for. Throws in Docker's words; touches nothing. */
export function defineNetwork(body: CreateNetworkBody, around: Surroundings): StoredNetwork {
  const driver = body.Driver === undefined || body.Driver === '' ? 'bridge' : body.Driver;
  if (body.ConfigOnly === true) return defineConfiguration(body);
  refuseUnsupported(body, driver);
  const ipv4 = body.EnableIPv4 ?? true;
  const requests = body.IPAM?.Config ?? [];
  const ipv6 = body.EnableIPv6 ?? false;
  const faults = poolFaults(requests, ipv6);
  if (faults.length > 0) throw invalid(`invalid network config:\n${listed(faults)}`);
  if (!ipv4 && !ipv6) throw invalid('IPv4 or IPv6 must be enabled');
  const id = newId();
  const options = { ...(driver === 'bridge' ? around.options.defaultNetworkOptions : {}), ...body.Options };
  const network: StoredNetwork = {
    id,
    name: body.Name ?? '',
    driver,
    options,
    labels: body.Labels ?? {},
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ipv4,
    ipv6,
    created: nowText(),
    ipamDriver: body.IPAM?.Driver === undefined || body.IPAM.Driver === '' ? 'default' : body.IPAM.Driver,
    ipamOptions: body.IPAM?.Options ?? null,
    pools: [],
    link: '',
    foreignLink: false,
  };
  if (driver === 'bridge') {
    checkBridgeOptions(options);
    const chosen = options[`${BRIDGE}name`];
    network.link = chosen === undefined || chosen === '' ? `br-${id.slice(0, 12)}` : chosen;
  }
  const l2 = driver === 'ipvlan' && /^l3s?$/.test(options.ipvlan_mode ?? '');
  // An isolated bridge has no address on the machine, so a container may have the one that it would be.
  const gateway = (family: 4 | 6) =>
    driver === 'bridge' ? gatewayMode(network, family) !== 'isolated' : !(network.internal || l2);
  if (network.ipamDriver !== 'null')
    network.pools = planPools(requests, around, { ipv4, ipv6, gateway, single: driver === 'bridge' });
  const idle = ipv6 ? [] : requests.filter(({ Subnet = '' }) => parsePrefix(Subnet)?.family === 6);
  if (idle.length > 0) network.idlePools = idle;
  if (!network.internal && (gatewayMode(network, 4) === 'isolated' || gatewayMode(network, 6) === 'isolated'))
    throw invalid("gateway mode 'isolated' can only be used for an internal network");
  return network;
}

/** The name of the default bridge's kernel interface. */
export function defaultBridgeName(instance: string, options: NetworkOptions): string {
  if (options.bridge !== undefined && options.bridge !== '') return options.bridge;
  return instance === '' ? 'gantry0' : `gt-${instance}`.slice(0, 15);
}

/** The predefined `bridge` network after the daemon's options. `previous`: its record of the last start, whose id and subnet stay. */
export function defineDefaultBridge(around: Surroundings, previous: StoredNetwork | undefined): StoredNetwork {
  const { options, instance } = around;
  const link = defaultBridgeName(instance, options);
  const networkOptions: Record<string, string> = {
    ...options.defaultNetworkOptions,
    [`${BRIDGE}default_bridge`]: 'true',
    [`${BRIDGE}enable_icc`]: String(options.icc ?? true),
    [`${BRIDGE}enable_ip_masquerade`]: String(options.ipMasq ?? true),
    [`${BRIDGE}host_binding_ipv4`]: options.ip ?? '0.0.0.0',
    [`${BRIDGE}name`]: link,
    [MTU]: String(options.mtu ?? 1500),
  };
  return {
    id: previous?.id ?? newId(),
    name: 'bridge',
    driver: 'bridge',
    options: networkOptions,
    labels: {},
    internal: false,
    attachable: false,
    ipv4: true,
    ipv6: options.ipv6 ?? false,
    created: nowText(),
    ipamDriver: 'default',
    ipamOptions: null,
    pools: defaultBridgePools(around, previous),
    link,
    foreignLink: options.bridge !== undefined && options.bridge !== '',
  };
}

function defaultBridgePools(around: Surroundings, previous: StoredNetwork | undefined): Pool[] {
  const { options } = around;
  const pools: Pool[] = [];
  const fixed = (address: string, range: string | undefined, gateway: string | undefined): Pool => {
    const prefix = parsePrefix(address);
    if (prefix === undefined) throw invalid(`invalid CIDR address: ${address}`);
    const pool: Pool = {
      subnet: formatPrefix(chopped(prefix)),
      gateway: formatAddress(prefix),
      aux: gateway === undefined || gateway === formatAddress(prefix) ? {} : { DefaultGatewayIPv4: gateway },
      configured: false,
    };
    if (range !== undefined) pool.ipRange = range;
    return pool;
  };
  const before = previous?.pools.find((pool) => parsePrefix(pool.subnet)!.family === 4);
  if (options.bip !== undefined) pools.push(fixed(options.bip, options.fixedCidr, options.defaultGateway));
  else {
    const pool = before === undefined ? choosePool(4, around, true) : { ...before };
    delete pool.ipRange;
    if (options.fixedCidr !== undefined) pool.ipRange = options.fixedCidr;
    pool.aux = options.defaultGateway === undefined ? {} : { DefaultGatewayIPv4: options.defaultGateway };
    pools.push(pool);
  }
  if (options.ipv6 ?? false) {
    const before6 = previous?.pools.find((pool) => parsePrefix(pool.subnet)!.family === 6);
    if (options.bip6 !== undefined) pools.push(fixed(options.bip6, options.fixedCidrV6, options.defaultGatewayV6));
    else if (options.fixedCidrV6 !== undefined)
      pools.push(planPool({ Subnet: options.fixedCidrV6 } as IPAMPool, { gatewayNeeded: true, taken: [] }));
    else pools.push(before6 ?? choosePool(6, around, true));
  }
  return pools;
}

const chopped = (prefix: Prefix): Prefix => {
  const shift = BigInt((prefix.family === 4 ? 32 : 128) - prefix.length);
  return { ...prefix, value: (prefix.value >> shift) << shift };
};

/** `host` and `none`. */
export function definePredefined(name: 'host' | 'none'): StoredNetwork {
  return {
    id: newId(),
    name,
    driver: name === 'host' ? 'host' : 'null',
    options: {},
    labels: {},
    internal: false,
    attachable: false,
    ipv4: true,
    ipv6: false,
    created: nowText(),
    ipamDriver: 'default',
    ipamOptions: null,
    pools: [],
    link: '',
    foreignLink: false,
  };
}
