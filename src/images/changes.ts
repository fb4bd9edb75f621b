import { invalid, parseDurationNs } from '../common/index.ts';
import type { ContainerConfig } from '../wire/index.ts';

const KNOWN = ['CMD', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL', 'ONBUILD', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'];

/** Words of `K=V K2="a b"`, with quotes and backslashes as a shell reads them. */
function words(text: string): string[] {
  const found: string[] = [];
  let word = '';
  let inWord = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && quote !== "'" && i + 1 < text.length) {
      word += text[++i];
      inWord = true;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      inWord = true;
    } else if (/\s/.test(char)) {
      if (inWord) found.push(word);
      word = '';
      inWord = false;
    } else {
      word += char;
      inWord = true;
    }
  }
  if (inWord) found.push(word);
  return found;
}

function pairs(text: string, instruction: string): [string, string][] {
  const list = words(text);
  if (list.length === 0) throw invalid(`${instruction} requires at least one argument`);
  if (!list[0]!.includes('=')) {
    const match = /^(\S+)\s+([\s\S]*)$/.exec(text);
    if (match === null) throw invalid(`${instruction} must have two arguments`);
    return [[match[1]!, match[2]!]];
  }
  return list.map((pair) => {
    const cut = pair.indexOf('=');
    if (cut < 1) throw invalid(`Syntax error - can't find = in ${JSON.stringify(pair)}. Must be of the form: name=value`);
    return [pair.slice(0, cut), pair.slice(cut + 1)];
  });
}

/** JSON form, or undefined for the shell form. */
function jsonForm(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

const command = (text: string): string[] => jsonForm(text) ?? ['/bin/sh', '-c', text];
const list = (text: string): string[] => jsonForm(text) ?? words(text);

/** `--change` of import and commit: Dockerfile instructions over a configuration. Throws `RUN is not a valid change command`. */
export function applyChanges(base: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const config: ContainerConfig = { ...base };
  for (const change of changes.flatMap((text) => text.split('\n'))) {
    const match = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(change);
    if (match === null || match[1]!.startsWith('#')) continue;
    const instruction = match[1]!.toUpperCase();
    const rest = match[2]!;
    if (!KNOWN.includes(instruction)) throw invalid(`${instruction} is not a valid change command`);
    switch (instruction) {
      case 'CMD':
        config.Cmd = command(rest);
        break;
      case 'ENTRYPOINT':
        config.Entrypoint = rest === '' ? undefined : command(rest);
        break;
      case 'ENV':
        for (const [key, value] of pairs(rest, 'ENV')) config.Env = [...(config.Env ?? []).filter((pair) => !pair.startsWith(`${key}=`)), `${key}=${value}`];
        break;
      case 'LABEL':
        config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest, 'LABEL')) };
        break;
      case 'EXPOSE':
        for (const port of words(rest)) {
          const [from = '', to = from] = port.split('/')[0]!.split('-');
          if (!/^\d+$/.test(from) || !/^\d+$/.test(to)) throw invalid(`invalid containerPort: ${port}`);
          for (let at = Number(from); at <= Number(to); at++) config.ExposedPorts = { ...config.ExposedPorts, [`${at}/${port.split('/')[1] ?? 'tcp'}`]: {} };
        }
        break;
      case 'VOLUME':
        for (const path of list(rest)) config.Volumes = { ...config.Volumes, [path]: {} };
        break;
      case 'USER':
        config.User = rest;
        break;
      case 'WORKDIR':
        config.WorkingDir = rest.startsWith('/') ? rest : `${config.WorkingDir || ''}/${rest}`;
        break;
      case 'STOPSIGNAL':
        config.StopSignal = rest;
        break;
      case 'ONBUILD':
        config.OnBuild = [...(config.OnBuild ?? []), rest];
        break;
      case 'HEALTHCHECK':
        config.Healthcheck = healthcheck(rest);
        break;
    }
  }
  return config;
}

function healthcheck(text: string): ContainerConfig['Healthcheck'] {
  const health: NonNullable<ContainerConfig['Healthcheck']> = {};
  let rest = text;
  for (let match = /^--([a-z-]+)=(\S+)\s*/.exec(rest); match !== null; match = /^--([a-z-]+)=(\S+)\s*/.exec(rest)) {
    const [all, flag, value = ''] = match;
    if (flag === 'interval') health.Interval = parseDurationNs(value);
    else if (flag === 'timeout') health.Timeout = parseDurationNs(value);
    else if (flag === 'start-period') health.StartPeriod = parseDurationNs(value);
    else if (flag === 'start-interval') health.StartInterval = parseDurationNs(value);
    else if (flag === 'retries') health.Retries = Number(value);
    else throw invalid(`unknown flag: --${flag}`);
    rest = rest.slice(all.length);
  }
  if (/^none$/i.test(rest)) return { ...health, Test: ['NONE'] };
  const match = /^CMD\s+([\s\S]+)$/i.exec(rest);
  if (match === null) throw invalid(`Unknown type ${JSON.stringify(rest.split(/\s/)[0])} in HEALTHCHECK (try CMD)`);
  const json = jsonForm(match[1]!);
  return { ...health, Test: json === undefined ? ['CMD-SHELL', match[1]!] : ['CMD', ...json] };
}
