import { parseBytes } from '../../common/index.ts';
import type { HostConfig } from '../../wire/index.ts';
import { splitCsv } from '../flag-values.ts';

const ULIMITS = 'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
  ' ',
);

/** `nofile=1024:2048` (docker/go-units ParseUlimit). */
export function parseUlimit(value: string): { Name: string; Soft: number; Hard: number } {
  const cut = value.indexOf('=');
  if (cut < 0) throw new Error(`invalid ulimit argument: ${value}`);
  const name = value.slice(0, cut);
  const limits = value.slice(cut + 1).split(':');
  if (limits.length > 2)
    throw new Error(`too many limit arguments - ${value.slice(cut + 1)}, can only have up to two, \`soft[:hard]\``);
  if (!ULIMITS.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [soft, hard] = limits.map((text) => {
    if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  });
  const top = hard ?? soft!;
  if (top !== -1 && (soft === -1 || soft! > top))
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${top}`);
  return { Name: name, Soft: soft!, Hard: top };
}

const pathAnd = (value: string): [string, string] => {
  const cut = value.indexOf(':');
  if (cut < 1) throw new Error(`bad format: ${value}`);
  const path = value.slice(0, cut);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${value}`);
  return [path, value.slice(cut + 1)];
};
export function parseWeightDevice(value: string): { Path: string; Weight: number } {
  const [path, weight] = pathAnd(value);
  const number = Number(weight);
  if (!/^\d+$/.test(weight) || (number !== 0 && (number < 10 || number > 1000)))
    throw new Error(`invalid weight for device: ${value}`);
  return { Path: path, Weight: number };
}
export function parseByteRate(value: string): { Path: string; Rate: number } {
  const [path, rate] = pathAnd(value);
  try {
    return { Path: path, Rate: parseBytes(rate) };
  } catch {
    throw new Error(
      `invalid rate for device: ${value}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  }
}
export function parseIoRate(value: string): { Path: string; Rate: number } {
  const [path, rate] = pathAnd(value);
  if (!/^\d+$/.test(rate))
    throw new Error(
      `invalid rate for device: ${value}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  return { Path: path, Rate: Number(rate) };
}

type DeviceRequest = NonNullable<HostConfig['DeviceRequests']>[number];

/** `--gpus all`, `2`, `device=0,1` in CSV form (docker/cli opts.GpuOpts). */
export function parseGpus(value: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: undefined, Capabilities: undefined, Options: {} };
  const count = (text: string): number => {
    if (text === 'all') return -1;
    const fault = !/^-?\d+$/.test(text)
      ? 'invalid syntax'
      : Number.isSafeInteger(Number(text))
        ? undefined
        : 'value out of range';
    if (fault !== undefined)
      throw new Error(`invalid count (${text}): value must be either "all" or an integer: ${fault}`);
    return Number(text);
  };
  const seen = new Set<string>();
  // What Go's CSV reader says of an empty text.
  if (value === '') throw new Error('EOF');
  for (const field of splitCsv(value)) {
    const cut = field.indexOf('=');
    const key = cut < 0 ? 'count' : field.slice(0, cut);
    const text = cut < 0 ? field : field.slice(cut + 1);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (key === 'count') request.Count = count(text);
    else if (key === 'device') request.DeviceIDs = text.split(',');
    else if (key === 'driver') request.Driver = text;
    else if (key === 'capabilities') request.Capabilities = [[...text.split(','), 'gpu']];
    else if (key === 'options')
      request.Options = Object.fromEntries(
        splitCsv(text).map((item) => [item.split('=')[0]!, item.split('=').slice(1).join('=')]),
      );
    else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  if (request.Count === 0 && request.DeviceIDs === undefined) request.Count = 1;
  request.Capabilities ??= [['gpu']];
  return request;
}

/** `/dev/a[:/dev/b[:rwm]]`. */
export function parseDevice(value: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const parts = value.split(':');
  if (parts.length > 3) throw new Error(`invalid device specification: ${value}`);
  const isMode = (text: string): boolean => /^[rwm]{1,3}$/.test(text);
  const [source = '', second, third] = parts;
  const target = second === undefined || (third === undefined && isMode(second)) ? source : second;
  const mode = third ?? (second !== undefined && isMode(second) ? second : 'rwm');
  if (!isMode(mode)) throw new Error(`bad mode specified: ${mode}`);
  if (source === '' || target === '') throw new Error(`bad format for path: ${value}`);
  if (!target.startsWith('/')) throw new Error(`${target} is not an absolute path`);
  return { PathOnHost: source, PathInContainer: target || source, CgroupPermissions: mode };
}
/** A device of the Container Device Interface: `vendor.com/class=name`. */
export const isCdiDevice = (value: string): boolean => /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w-]*=[\w.:-]+$/.test(value);

/** `no`, `always`, `unless-stopped`, `on-failure[:n]` (docker/cli opts.ParseRestartPolicy). The daemon judges the name. */
export function parseRestart(value: string): { Name: string; MaximumRetryCount: number } {
  if (value === '') return { Name: '', MaximumRetryCount: 0 };
  const cut = value.indexOf(':');
  const name = cut < 0 ? value : value.slice(0, cut);
  const count = cut < 0 ? '' : value.slice(cut + 1);
  if (cut >= 0 && name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (count !== '' && !/^-?\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count || 0) };
}

/** `c 1:3 rwm` (docker/cli opts). */
export function parseDeviceRule(value: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value))
    throw new Error(`invalid device cgroup format '${value}'`);
  return value;
}
