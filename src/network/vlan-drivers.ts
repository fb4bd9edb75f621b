import { internal, invalid, unsupported } from '../common/index.ts';
import type { InnerLink, Links } from './links.ts';
import type { StoredNetwork } from './store.ts';

/** macvlan and ipvlan: containers straight on a parent interface (libnetwork drivers/macvlan, drivers/ipvlan). */

/** linux/if_link.h: enum macvlan_mode. */
const MACVLAN_MODES: Record<string, number> = { private: 1, vepa: 2, bridge: 4, passthru: 8 };
/** linux/if_link.h: enum ipvlan_mode and IPVLAN_F_*. */
const IPVLAN_MODES: Record<string, number> = { l2: 0, l3: 1, l3s: 2 };
const IPVLAN_FLAGS: Record<string, number> = { bridge: 0, private: 1, vepa: 2 };

const KNOWN = ['parent', 'macvlan_mode', 'ipvlan_mode', 'ipvlan_flag', 'com.docker.network.driver.mtu'];

export function checkVlanOptions(network: StoredNetwork, others: readonly StoredNetwork[]): void {
  const { options, driver } = network;
  for (const key of Object.keys(options))
    if (!KNOWN.includes(key) && !key.startsWith('com.docker.network.'))
      throw invalid(`unknown option ${key} for driver ${driver}`);
  if (driver === 'macvlan') {
    const mode = options.macvlan_mode ?? 'bridge';
    if (MACVLAN_MODES[mode] === undefined)
      throw invalid(`requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`);
  } else {
    const mode = options.ipvlan_mode ?? 'l2';
    if (IPVLAN_MODES[mode] === undefined)
      throw invalid(`requested ipvlan mode '${mode}' is not valid, 'l2' mode is the ipvlan driver default`);
    const flag = options.ipvlan_flag ?? 'bridge';
    if (IPVLAN_FLAGS[flag] === undefined)
      throw invalid(`requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`);
  }
  const parent = options.parent ?? '';
  if (parent === 'lo') throw invalid(`loopback interface is not a valid ${driver} parent link`);
  const rival = others.find(
    (other) => other.driver === driver && parent !== '' && other.link === parent && other.id !== network.id,
  );
  if (rival !== undefined && driver === 'macvlan' && options.macvlan_mode === 'passthru')
    throw invalid(`network ${rival.name} is already using parent interface ${parent}`);
}

/** Makes sure the parent is there: an interface, a VLAN of one (`eth0.10`), or, without a parent or internal, a dummy of our own. */
export function ensureParent(links: Links, network: StoredNetwork): void {
  const wanted = network.options.parent ?? '';
  if (wanted === '') {
    network.link = `dm-${network.id.slice(0, 12)}`;
    network.foreignLink = false;
    if (links.find(network.link) === undefined)
      withKernelSupport('dummy interfaces, which stand for a missing parent', () => links.createDummy(network.link));
    return;
  }
  network.link = wanted;
  network.foreignLink = true;
  if (links.find(wanted) !== undefined) return;
  const [base, number, ...more] = wanted.split('.');
  if (base === undefined || number === undefined || more.length > 0)
    throw internal(`invalid subinterface vlan name ${wanted}, example formatting is eth0.10`);
  if (!/^\d+$/.test(number))
    throw internal(`unable to parse a valid vlan id from: ${number} (ex. eth0.10 for vlan 10)`);
  const parent = links.find(base);
  if (parent === undefined) throw internal(`-o parent interface was not found on the host: ${base}`);
  const id = Number(number);
  if (id < 1 || id > 4094) throw internal(`vlan id must be between 1-4094, received: ${id}`);
  withKernelSupport('VLAN interfaces', () => links.createVlan(wanted, parent.index, id));
  network.foreignLink = false;
}

/** Kernels are built without some kinds of interfaces: says which one is missing. */
function withKernelSupport(what: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTSUP') throw error;
    throw unsupported(`the kernel of this machine has no ${what}`);
  }
}

export function createVlanSlave(host: Links, network: StoredNetwork, inner: InnerLink, netnsFd: number): void {
  const parent = host.find(network.link);
  if (parent === undefined) throw invalid(`parent interface ${network.link} was not found on the host`);
  withKernelSupport(`${network.driver} interfaces`, () =>
    host.createSlave(slaveKind(network), parent.index, inner, netnsFd),
  );
}

function slaveKind({ driver, options }: StoredNetwork): Parameters<Links['createSlave']>[0] {
  if (driver === 'macvlan') return { type: 'macvlan', mode: MACVLAN_MODES[options.macvlan_mode ?? 'bridge']! };
  return {
    type: 'ipvlan',
    mode: IPVLAN_MODES[options.ipvlan_mode ?? 'l2']!,
    flags: IPVLAN_FLAGS[options.ipvlan_flag ?? 'bridge']!,
  };
}
