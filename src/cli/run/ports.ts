import { isIP } from 'node:net';
import type { PortBinding } from '../../wire/index.ts';
import { splitCsv } from '../flag-values.ts';

export interface Ports {
  exposed: Record<string, Record<string, never>>;
  bindings: Record<string, PortBinding[]>;
}

/** `-p` values (docker/go-connections nat.ParsePortSpecs), the long form `published=…,target=…` included. */
export function parsePublished(values: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} };
  for (const value of values.flatMap(standardForms)) {
    for (const { port, binding } of parsePortSpec(value)) {
      ports.exposed[port] = {};
      ports.bindings[port] = [...(ports.bindings[port] ?? []), binding];
    }
  }
  return ports;
}

function standardForms(value: string): string[] {
  if (!value.includes('=')) return [value];
  let [published, target, protocol, mode] = ['', '', 'tcp', 'ingress'];
  for (const field of splitCsv(value)) {
    const cut = field.indexOf('=');
    if (cut < 1) throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
    if (field.slice(cut + 1).includes('=')) throw new Error(`invalid field ${field}`);
    const text = field.slice(cut + 1).trim();
    switch (field.slice(0, cut).trim().toLowerCase()) {
      case 'published':
        published = text;
        break;
      case 'target':
        target = text;
        break;
      case 'protocol':
        if (!['tcp', 'udp', 'sctp'].includes(text)) throw new Error(`invalid protocol value ${text}`);
        protocol = text;
        break;
      case 'mode':
        if (!['ingress', 'host'].includes(text)) throw new Error(`invalid publish mode value ${text}`);
        mode = text;
        break;
      default:
        throw new Error(`invalid field key ${field.slice(0, cut)}`);
    }
  }
  if (target === '') throw new Error(`missing mandatory field "target"`);
  if (mode !== 'host' && mode !== 'ingress') throw new Error(`invalid publish mode value ${mode}`);
  return [`${published}:${target}/${protocol}`];
}

function parsePortSpec(raw: string): { port: string; binding: PortBinding }[] {
  const parts = raw.split(':');
  const container = parts.at(-1)!;
  let host = parts.length > 1 ? parts.at(-2)! : '';
  let ip = parts.length > 2 ? parts.slice(0, -2).join(':') : '';
  const { port: wanted, proto } = splitProto(container);
  if (ip.startsWith('[') && !ip.endsWith(']'))
    throw new Error(`invalid IP address ${ip}: address ${ip}:: missing ']' in address`);
  ip = ip.replace(/^\[(.*)\]$/, '$1');
  if (ip !== '' && (isIP(ip) === 0 || ip.includes('%'))) throw new Error(`invalid IP address: ${ip}`);
  if (wanted === '') throw new Error(`no port specified: ${raw}<empty>`);
  const inner = portRange(wanted);
  if (!inner) throw new Error(`invalid containerPort: ${wanted}`);
  const outer = host === '' ? { start: 0, end: 0 } : portRange(host);
  if (!outer) throw new Error(`invalid hostPort: ${host}`);
  const span = inner.end - inner.start;
  if (host !== '' && span !== outer.end - outer.start && span !== 0)
    throw new Error(`invalid ranges specified for container and host Ports: ${wanted} and ${host}`);
  if (!['tcp', 'udp', 'sctp'].includes(proto.toLowerCase())) throw new Error(`invalid proto: ${proto}`);
  const result: { port: string; binding: PortBinding }[] = [];
  for (let offset = 0; offset <= span; offset++) {
    if (host !== '')
      host = span === 0 && outer.start !== outer.end ? `${outer.start}-${outer.end}` : String(outer.start + offset);
    result.push({ port: `${inner.start + offset}/${proto.toLowerCase()}`, binding: { HostIp: ip, HostPort: host } });
  }
  return result;
}

/** `80/udp`; without a protocol, TCP. What stands behind a second slash is not looked at (nat.SplitProtoPort). */
function splitProto(text: string): { port: string; proto: string } {
  const [port = '', proto = ''] = text.split('/');
  return { port, proto: proto || 'tcp' };
}

function portRange(text: string): { start: number; end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return start > 65535 || end > 65535 || end < start ? undefined : { start, end };
}

/** What nat.ParsePortRange says of a text that is no range. */
function rangeFault(text: string): string {
  if (text === '') return 'empty string specified for ports';
  const ends = text.includes('-') ? [text.slice(0, text.indexOf('-')), text.slice(text.indexOf('-') + 1)] : [text];
  for (const end of ends)
    if (!/^\d+$/.test(end) || Number(end) > 65535)
      return `strconv.ParseUint: parsing ${JSON.stringify(end)}: ${/^\d+$/.test(end) ? 'value out of range' : 'invalid syntax'}`;
  return `invalid range specified for port: ${text}`;
}

/** `--expose` values: `80`, `8000-8010/udp`. */
export function parseExposed(values: readonly string[]): Ports['exposed'] {
  const exposed: Ports['exposed'] = {};
  for (const value of values) {
    if (value.includes(':')) throw new Error(`invalid port format for --expose: ${value}`);
    const { port, proto } = splitProto(value);
    const range = portRange(port);
    if (!range) throw new Error(`invalid range format for --expose: ${value}, error: ${rangeFault(port)}`);
    for (let number = range.start; number <= range.end; number++) exposed[`${number}/${proto.toLowerCase()}`] = {};
  }
  return exposed;
}
