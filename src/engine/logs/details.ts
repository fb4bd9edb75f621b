import { messageOf, shortId } from '../../common/index.ts';
import { dockerFunctions, execute, parseTemplate } from '../../template/index.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { refused, rotationOf } from './drivers.ts';

/**
 * `--details`: the labels and variables that the log options name and the tag, in the order of their keys (moby daemon/logger/loginfo.go);
 * the local driver has none.
 */
export function detailsOf({ id, name, imageId, config, host }: ContainerRecord): string {
  if (host.LogConfig?.Type === 'local') return '';
  const options = host.LogConfig?.Config ?? {};
  const env = (config.Env ?? []).flatMap((pair) => {
    const cut = pair.indexOf('=');
    return cut < 0 ? [] : [[pair.slice(0, cut), pair.slice(cut + 1)] as const];
  });
  const chosen = new Map<string, string>([
    ...named(Object.entries(config.Labels ?? {}), options.labels, options['labels-regex']),
    ...named(env, options.env, options['env-regex']),
  ]);
  if (options.tag)
    chosen.set(
      'tag',
      tagOf(options.tag, {
        ID: shortId(id),
        FullID: id,
        Name: name,
        ImageID: shortId(imageId),
        ImageFullID: imageId,
        ImageName: config.Image ?? '',
        Command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' '),
        DaemonName: 'docker',
      }),
    );
  return [...chosen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .join(',');
}

/** Refuses log options whose values are wrong. */
export function checkLogValues(record: ContainerRecord): void {
  rotationOf(record.host.LogConfig);
  detailsOf(record);
}

function named(
  all: readonly (readonly [string, string])[],
  list: string | undefined,
  pattern: string | undefined,
): readonly (readonly [string, string])[] {
  const names = new Set((list ?? '').split(','));
  const matching = pattern ? expression(pattern) : undefined;
  return all.filter(([name]) => names.has(name) || matching?.test(name) === true);
}

function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (error) {
    throw refused(`error parsing regexp: ${messageOf(error)}`);
  }
}

function tagOf(template: string, data: Record<string, string>): string {
  try {
    return execute(parseTemplate('log-tag', template, dockerFunctions), data);
  } catch (error) {
    throw refused(messageOf(error));
  }
}

/** Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
