import { z } from 'zod';
import { EndpointSettings } from './container.ts';
import { bool, opt, str, stringMap } from './schema.ts';

export const IPAMPool = z.object({ Subnet: str, IPRange: str, Gateway: str, AuxiliaryAddresses: stringMap });
export type IPAMPool = z.infer<typeof IPAMPool>;

export const CreateNetworkBody = z.object({
  Name: str,
  CheckDuplicate: bool,
  Driver: str,
  Scope: str,
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: opt(z.object({ Network: str })),
  IPAM: opt(z.object({ Driver: str, Config: opt(z.array(IPAMPool)), Options: stringMap })),
  EnableIPv4: bool,
  EnableIPv6: bool,
  Options: stringMap,
  Labels: stringMap,
});
export type CreateNetworkBody = z.infer<typeof CreateNetworkBody>;

export const ConnectNetworkBody = z.object({ Container: str, EndpointConfig: opt(EndpointSettings) });
export type ConnectNetworkBody = z.infer<typeof ConnectNetworkBody>;
export const DisconnectNetworkBody = z.object({ Container: str, Force: bool });
export type DisconnectNetworkBody = z.infer<typeof DisconnectNetworkBody>;

/** `GET /networks/{id}`. */
export interface NetworkInspect {
  Name: string;
  Id: string;
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: {
    Driver: string;
    Options: Record<string, string> | null;
    Config: { Subnet?: string; IPRange?: string; Gateway?: string; AuxiliaryAddresses?: Record<string, string> }[];
  };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  Containers: Record<
    string,
    { Name: string; EndpointID: string; MacAddress: string; IPv4Address: string; IPv6Address: string }
  >;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}
