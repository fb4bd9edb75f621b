import type { NetworkService } from '../../network/index.ts';
import type { ContainerBook } from './book.ts';
import type { ContainerRecord } from './record.ts';

/** Variables of `--link` (moby daemon/links): ALIAS_NAME, ALIAS_PORT…, ALIAS_ENV_…; the linked container must run. */
export function linkEnvironment(record: ContainerRecord, book: ContainerBook, networks: NetworkService): string[] {
  return (record.host.Links ?? []).flatMap((link) => {
    const [target = '', path = ''] = link.split(':');
    const linked = book.find(target);
    const alias = path.split('/').at(-1) ?? '';
    const ip = linked === undefined ? undefined : networks.sandbox(linked.id)?.endpoints.bridge?.IPAddress;
    if (linked === undefined || ip === undefined || ip === '') return [];
    const prefix = alias.toUpperCase().replaceAll('-', '_');
    const ports = Object.keys(linked.record.config.ExposedPorts ?? {})
      .map((key) => ({ port: Number(key.split('/')[0]), protocol: key.split('/')[1] ?? 'tcp' }))
      .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
    const env = [`${prefix}_NAME=${path}`];
    const [first] = ports;
    if (first !== undefined) env.push(`${prefix}_PORT=${first.protocol}://${ip}:${first.port}`);
    for (const { port, protocol } of ports) {
      const base = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
      env.push(
        `${base}=${protocol}://${ip}:${port}`,
        `${base}_ADDR=${ip}`,
        `${base}_PORT=${port}`,
        `${base}_PROTO=${protocol}`,
      );
    }
    for (const pair of linked.record.config.Env ?? [])
      if (!/^(PATH|HOME)=/.test(pair)) env.push(`${prefix}_ENV_${pair}`);
    return env;
  });
}
