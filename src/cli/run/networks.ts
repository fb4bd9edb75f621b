import { splitCsv } from '../flag-values.ts';

/** One `--network`: a name, or `name=…,alias=…,ip=…` (docker/cli opts.NetworkOpt). */
export interface NetworkOption {
  target: string;
  aliases: string[];
  driverOpts: Record<string, string>;
  links: string[];
  ipv4?: string;
  ipv6?: string;
  linkLocalIps: string[];
  macAddress?: string;
  gwPriority?: number;
}

export function parseNetwork(value: string): NetworkOption {
  const option: NetworkOption = { target: '', aliases: [], driverOpts: {}, links: [], linkLocalIps: [] };
  if (!/\w+=/.test(value)) return { ...option, target: value };
  for (const field of splitCsv(value)) {
    const cut = field.indexOf('=');
    if (cut < 1) throw new Error(`invalid field ${field}`);
    const key = field.slice(0, cut).trim().toLowerCase();
    const text = field.slice(cut + 1).trim();
    switch (key) {
      case 'name':
        option.target = text;
        break;
      case 'alias':
        option.aliases.push(text);
        break;
      case 'driver-opt': {
        const at = text.indexOf('=');
        if (at < 1) throw new Error('invalid key value pair format in driver options');
        option.driverOpts[text.slice(0, at)] = text.slice(at + 1);
        break;
      }
      case 'ip':
        option.ipv4 = text;
        break;
      case 'ip6':
        option.ipv6 = text;
        break;
      case 'mac-address':
        option.macAddress = text;
        break;
      case 'link-local-ip':
        option.linkLocalIps.push(text);
        break;
      case 'gw-priority':
        if (!/^[+-]?\d+$/.test(text))
          throw new Error(`invalid gw-priority: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
        option.gwPriority = Number(text);
        break;
      default:
        throw new Error(`invalid field key ${key}`);
    }
  }
  if (option.target === '') throw new Error('network name/id is not specified');
  return option;
}
