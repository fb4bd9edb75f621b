/** Docker's per-endpoint kernel settings: `net.ipv4.conf.IFNAME.log_martians=1,…` in a driver option. */
const OPTION = 'com.docker.network.endpoint.sysctls';

export const endpointSysctlItems = (options: Record<string, string> | null | undefined): string[] => {
  const text = options?.[OPTION] ?? '';
  return text === '' ? [] : text.split(',');
};

/** The path below /proc/sys with `IFNAME` in it, and the value; undefined if the item is none. Clients may have written `ifname`. */
export function parseEndpointSysctl(item: string): [path: string, value: string] | undefined {
  const match = /^net\.(ipv4|ipv6|mpls)\.(\w+)\.ifname\.([\w-]+)=(.*)$/i.exec(item);
  return match ? [`net/${match[1]}/${match[2]}/IFNAME/${match[3]}`, match[4]!] : undefined;
}
