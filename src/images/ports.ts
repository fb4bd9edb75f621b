import { invalid } from '../common/index.ts';

const HIGHEST = 65535;
const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/** What EXPOSE takes: `80`, `80/udp`, `8000-8010/tcp`, and `[ip:][host:]container` of which the last counts (go-connections nat). */
export function exposedPorts(text: string): string[] {
  const slash = text.indexOf('/');
  const protocol = (slash < 0 ? '' : text.slice(slash + 1).toLowerCase()) || 'tcp';
  const container = (slash < 0 ? text : text.slice(0, slash)).split(':').at(-1) ?? '';
  if (container === '') throw invalid(`no port specified: ${text}<empty>`);
  if (!PROTOCOLS.includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
  const match = /^(\d+)(?:-(\d+))?$/.exec(container);
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (match === null || low > HIGHEST || high > HIGHEST || high < low)
    throw invalid(`Invalid containerPort: ${container}`);
  return Array.from({ length: high - low + 1 }, (_, index) => `${low + index}/${protocol}`);
}
