import type { ConfigFile } from '../config-file.ts';

const NAMES = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
} as const;

/** The proxy variables that config.json gives to containers and builds, in both spellings (docker/cli configfile.ParseProxyConfig). */
export function proxyVariables(config: ConfigFile, host: string): Record<string, string> {
  const proxies = config.data.proxies?.[host] ?? config.data.proxies?.default;
  const result: Record<string, string> = {};
  for (const [key, name] of Object.entries(NAMES)) {
    const value = proxies?.[key as keyof typeof NAMES];
    if (value === undefined || value === '') continue;
    result[name] = value;
    result[name.toLowerCase()] = value;
  }
  return result;
}

/** `K=V` of the proxies that `given` does not set or unset itself. */
export function proxyEnvironment(config: ConfigFile, host: string, given: readonly string[]): string[] {
  const names = new Set(given.map((item) => item.split('=')[0]));
  return Object.entries(proxyVariables(config, host))
    .filter(([name]) => !names.has(name))
    .map(([name, value]) => `${name}=${value}`);
}
