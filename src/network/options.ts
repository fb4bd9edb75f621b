import type { Logger } from '../common/index.ts';
import type { Database } from '../state/index.ts';
import type { AddressSpace } from './ipam.ts';
import type { SandboxState } from './types.ts';

/** The daemon's networking options, by dockerd's names. */
export interface NetworkOptions {
  /** The default bridge's address with its subnet (`--bip 172.26.0.1/16`). */
  bip?: string;
  bip6?: string;
  /** An existing bridge to use (`--bridge`), or `none` for no default bridge. */
  bridge?: string;
  fixedCidr?: string;
  fixedCidrV6?: string;
  defaultGateway?: string;
  defaultGatewayV6?: string;
  defaultAddressPools?: AddressSpace[];
  mtu?: number;
  /** Containers of the default bridge may talk to each other; true unless given. */
  icc?: boolean;
  ipv6?: boolean;
  /** Sets net.ipv4.ip_forward; true unless given. */
  ipForward?: boolean;
  ipMasq?: boolean;
  /** False: no nftables rule is made at all, as `--iptables=false`. */
  rules?: boolean;
  /** Where ports are published unless an address is given (`--ip`). */
  ip?: string;
  dns?: string[];
  dnsSearch?: string[];
  dnsOptions?: string[];
  /** Options of every new bridge network (`--default-network-opt bridge=k=v`). */
  defaultNetworkOptions?: Record<string, string>;
  /** Routed packets from outside reach published ports by the container's own address too. */
  allowDirectRouting?: boolean;
  /** Published ports pass the host's input rules; the client's address is then not preserved. */
  respectHostFirewall?: boolean;
}

export interface NetworkEvent {
  type: 'network';
  action: 'create' | 'connect' | 'disconnect' | 'destroy';
  /** The network's id. */
  id: string;
  attributes: Record<string, string>;
}

export interface OpenNetworks {
  db: Database;
  execRoot: string;
  dataRoot: string;
  /** Tells several daemons' bridges, interfaces and tables apart; '' for the daemon with the default data root. */
  instance: string;
  options: NetworkOptions;
  log: Logger;
  emit: (event: NetworkEvent) => void;
  /** A running container's /etc/hosts must be written anew: a container it is linked to came back with another address. */
  hostsChanged?: (containerId: string, state: SandboxState) => void;
}
