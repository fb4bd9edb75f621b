import { writeFileSync } from 'node:fs';
import { jsonLines } from '../../../client/index.ts';
import type { BuildChecks, ProgressMessage } from '../../../wire/index.ts';
import { checkError, checksText, warningsText } from '../../build/checks.ts';
import { buildFlags } from '../../build/flags.ts';
import { showLive } from '../../build/live.ts';
import { readOutput, refuseTerminal } from '../../build/outputs.ts';
import { sendBuild } from '../../build/send.ts';
import { readAgents, readSecret } from '../../build/session.ts';
import { allAuths } from '../../credentials.ts';
import { normalizeReference } from '../../references.ts';
import { toMap } from '../../run/key-values.ts';
import { proxyVariables } from '../../run/proxies.ts';
import { parseUlimit } from '../../run/resources.ts';
import { type Call, type CommandSpec, ExitError, exactly, type FlagValues } from '../../spec.ts';
import { ProgressError, showProgress } from '../../terminal/progress.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] PATH | URL | -',
  examples: ['gantry build -t web .', 'gantry build -f deploy/Dockerfile --target test --build-arg VERSION=2 .'],
  flags: buildFlags,
  args: exactly(1),
  complete: ['files'],
  run,
};

async function run(call: Call): Promise<void> {
  const { flags, cli } = call;
  refuseSessionFlags(flags);
  const outputs = flags.list('output').map(readOutput);
  refuseTerminal(outputs, cli);
  const tags = [...flags.list('tag'), ...outputs.flatMap((output) => (output.type === 'image' ? output.names : []))];
  for (const tag of tags) checkTag(tag);
  const quiet = flags.bool('quiet') || ['quiet', 'none'].includes(flags.text('progress'));
  // Standard output is the result's, if it goes there.
  const piped = outputs.some((output) => 'dest' in output && output.dest === '-');
  const shown = piped ? cli.stderr : cli.stdout;
  const live = !quiet && isLive(flags.text('progress'), shown, cli.env);
  const secrets = flags.list('secret').map((text) => readSecret(text, cli.env));
  const agents = readAgents(flags.list('ssh'), cli.env);
  const client = await cli.client();
  const query = {
    ...buildQuery(flags, cli.env, proxyVariables(cli.config, client.transport.endpoint.url)),
    t: tags,
    q: quiet,
    tellnew: outputs.length > 0,
    checks: flags.bool('check') ? 'only' : quiet ? undefined : 'tell',
    progress: live || flags.text('progress') === 'rawjson' ? 'steps' : undefined,
    buildid: '',
    ssh: agents.size === 0 ? undefined : JSON.stringify(Object.fromEntries(agents)),
  };
  if (secrets.length > 0) query.buildid = crypto.randomUUID();
  for (const { id, value } of secrets) await client.images.addBuildSecret(query.buildid, id, value);
  const auths = Buffer.from(JSON.stringify(await allAuths(cli))).toString('base64url');
  const answer = await sendBuild(client, call, { query, headers: { 'x-registry-config': auths } });
  let id = '';
  let checks: BuildChecks | undefined;
  let isNew = false;
  const aux = (value: unknown): void => {
    const { ID, New, Checks } = (value ?? {}) as { ID?: string; New?: boolean; Checks?: BuildChecks };
    checks = Checks ?? checks;
    id = ID ?? id;
    isNew = New ?? isNew;
  };
  const messages = jsonLines<ProgressMessage>(answer.body);
  try {
    if (flags.text('progress') === 'rawjson') {
      for await (const message of messages) {
        shown.write(`${JSON.stringify(message)}\n`);
        if (message.aux !== undefined) aux(message.aux);
        if (message.error !== undefined) throw new ProgressError(message.error, message.errorDetail?.code ?? 0);
      }
    } else if (live) await showLive(messages, { stream: shown, colours: cli.colours(shown), aux });
    else await showProgress(cli, withQuietId(messages, quiet, aux), { stream: shown, quiet, aux });
    if (flags.bool('check')) return showChecks(call, checks);
    if (checks !== undefined) cli.stderr.write(warningsText(checks, cli.colours(cli.stderr)));
  } catch (error) {
    if (checks !== undefined && !flags.bool('check')) cli.stderr.write(warningsText(checks, cli.colours(cli.stderr)));
    if (error instanceof ProgressError) throw new ExitError(error.code === 0 ? 1 : error.code, error.message);
    throw error;
  }
  try {
    for (const output of outputs) {
      const { writeOutput } = await import('../../build/write-output.ts');
      await writeOutput(output, { cli, client, id, names: tags });
    }
  } finally {
    // Only the files were wanted: an image without a name would be left.
    const kept = tags.length > 0 || outputs.length === 0 || outputs.some(({ type }) => type === 'image');
    if (isNew && !kept && !flags.bool('load')) await client.images.remove(id, {});
  }
  if (!piped && id !== '' && flags.bool('quiet')) cli.print(`${id}\n`);
  if (flags.text('iidfile') !== '') writeFileSync(flags.text('iidfile'), id);
  if (flags.text('metadata-file') !== '')
    writeFileSync(
      flags.text('metadata-file'),
      `${JSON.stringify({ 'containerimage.digest': id, 'image.name': tags.join(',') }, null, 2)}\n`,
    );
  if (flags.bool('push') || outputs.some((output) => output.type === 'image' && output.push))
    await pushTags(call, tags);
}

function showChecks({ cli, flags }: Call, found: BuildChecks | undefined): void {
  if (found === undefined) throw new Error('this daemon has no build checks');
  const file = flags.text('file');
  const checks = { ...found, filename: file === '-' ? 'stdin' : file || found.filename };
  cli.print(checksText(checks));
  const error = checkError(checks);
  if (error !== undefined) throw new ExitError(1, error);
  if (checks.warnings.length > 0) throw new ExitError(1, '');
}

/** As in buildx `tty` is an order: without a terminal it cannot be kept. */
function isLive(progress: string, stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (progress === 'tty' && !stream.isTTY) throw new Error('failed to get console: provided file is not a console');
  return progress === 'tty' || (progress === 'auto' && Boolean(stream.isTTY) && env.TERM !== 'dumb');
}

/** A quiet classic build sends nothing but the image's id, as a line of its output. */
async function* withQuietId(
  messages: AsyncIterable<ProgressMessage>,
  quiet: boolean,
  found: (value: unknown) => void,
): AsyncGenerator<ProgressMessage> {
  for await (const message of messages) {
    const line = quiet ? /^(sha256:[0-9a-f]{64})\s*$/.exec(message.stream ?? '') : null;
    if (line) found({ ID: line[1] });
    yield message;
  }
}

function checkTag(tag: string): void {
  try {
    if (normalizeReference(tag).digest !== undefined)
      throw new Error('refusing to create a tag with a digest reference');
  } catch (error) {
    throw new ExitError(
      125,
      `invalid argument ${JSON.stringify(tag)} for "-t, --tag" flag: ${(error as Error).message}`,
    );
  }
}

/** What only a BuildKit session can carry, and caches that are no image. */
function refuseSessionFlags(flags: FlagValues): void {
  for (const text of flags.list('cache-to'))
    if (!/^(?:.*,)?type=inline(?:,|$)/.test(text))
      throw new Error(
        `--cache-to ${text}: only type=inline can be exported: an image is its own cache, for --cache-from where it is pushed to`,
      );
  if (flags.list('build-context').length > 0)
    throw new Error(
      '--build-context needs a BuildKit session, which this daemon does not offer: COPY --from an image instead',
    );
}

/** `NAME` or `type=registry,ref=NAME`: an image is the only cache that can be read. */
function cacheImage(text: string): string {
  if (!text.includes('=')) return text;
  const fields = new Map(
    text.split(',').map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const [type, ref] = [fields.get('type'), fields.get('ref')];
  if (type !== 'registry')
    throw new Error(`--cache-from takes images, not a cache of type ${JSON.stringify(type ?? '')}`);
  if (ref === undefined || ref === '') throw new Error('ref is required for a cache of type registry');
  return ref;
}

function buildQuery(
  flags: FlagValues,
  env: NodeJS.ProcessEnv,
  proxies: Record<string, string>,
): Record<string, string | number | boolean | undefined> {
  const args: Record<string, string | null> = { ...proxies };
  for (const item of flags.list('build-arg')) {
    const cut = item.indexOf('=');
    const name = cut < 0 ? item : item.slice(0, cut);
    args[name] = cut < 0 ? (env[name] ?? null) : item.slice(cut + 1);
  }
  const json = (list: readonly unknown[] | Record<string, unknown>): string | undefined =>
    Object.keys(list).length > 0 ? JSON.stringify(list) : undefined;
  return {
    nocache: flags.bool('no-cache'),
    nocachefilter: flags.list('no-cache-filter').join(',') || undefined,
    pull: flags.bool('pull'),
    rm: flags.bool('rm'),
    forcerm: flags.bool('force-rm'),
    squash: flags.bool('squash'),
    memory: flags.int('memory') || undefined,
    memswap: flags.int('memory-swap') || undefined,
    cpushares: flags.int('cpu-shares') || undefined,
    cpuperiod: flags.int('cpu-period') || undefined,
    cpuquota: flags.int('cpu-quota') || undefined,
    cpusetcpus: flags.text('cpuset-cpus'),
    cpusetmems: flags.text('cpuset-mems'),
    cgroupparent: flags.text('cgroup-parent'),
    shmsize: flags.int('shm-size') || undefined,
    networkmode: flags.text('network'),
    target: flags.text('target'),
    platform: flags.list('platform').join(','),
    extrahosts:
      flags
        .list('add-host')
        .map((host) => host.replace('=', ':'))
        .join(',') || undefined,
    buildargs: json(args),
    labels: json(toMap(flags.list('label'))),
    cachefrom: json(flags.list('cache-from').map(cacheImage)),
    pullcache: flags.list('cache-from').length > 0 || undefined,
    ulimits: json(flags.list('ulimit').map(parseUlimit)),
  };
}

async function pushTags(call: Call, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) throw new Error('tag is needed when pushing to registry');
  const { command: push } = await import('./push.ts');
  const { ParsedFlags } = await import('../../parse-flags.ts');
  for (const tag of tags) await push.run({ ...call, args: [tag], flags: new ParsedFlags(push.flags) });
}
