import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { ApiError, type Client } from '../../client/index.ts';
import { messageOf } from '../../common/index.ts';
import type { CreateContainerBody } from '../../wire/index.ts';
import { pullImage } from '../pull.ts';
import { normalizeReference } from '../references.ts';
import type { Cli } from '../session.ts';
import type { FlagValues } from '../spec.ts';
import { proxyEnvironment } from './proxies.ts';

/** Makes a container as `create` and `run` do: pulls by policy, writes the id file, says the daemon's warnings. Resolves to its id. */
export async function createContainer(
  cli: Cli,
  client: Client,
  body: CreateContainerBody,
  flags: FlagValues,
): Promise<string> {
  const policy = pullPolicy(flags);
  const image = body.Image ?? '';
  const reference = /^(sha256:)?[0-9a-f]{64}$/.test(image) ? undefined : normalizeReference(image);
  for (const server of body.HostConfig?.Dns ?? [])
    if (/^127\.|^::1$/.test(server)) cli.warn(`WARNING: Localhost DNS (${server}) may fail in containers.\n`);
  checkPlatform(flags.text('platform') ?? '');
  const cidfile = openIdFile(flags.text('cidfile'));
  try {
    body.Env = [...proxyEnvironment(cli.config, client.transport.endpoint.url, body.Env ?? []), ...(body.Env ?? [])];
    const pull = (): Promise<void> =>
      pullImage(cli, client, reference!, {
        platform: flags.text('platform') || undefined,
        quiet: flags.bool('quiet'),
        out: 'stderr',
      });
    if (policy === 'always' && reference) await pull();
    const options = { name: flags.text('name') || undefined, platform: flags.text('platform') || undefined };
    let created: Awaited<ReturnType<typeof client.containers.create>>;
    try {
      created = await client.containers.create(body, options);
    } catch (error) {
      // Also one that is there for another platform.
      if (!(error instanceof ApiError && error.status === 404) || policy !== 'missing' || !reference) throw error;
      if (!flags.bool('quiet')) cli.warn(`Unable to find image '${reference.familiar}' locally\n`);
      await pull();
      created = await client.containers.create(body, options);
    }
    for (const warning of created.Warnings ?? []) cli.warn(`WARNING: ${warning}\n`);
    cidfile?.write(created.Id);
    return created.Id;
  } finally {
    cidfile?.close();
  }
}

/** `--pull`, checked. */
export function pullPolicy(flags: FlagValues): string {
  const policy = flags.text('pull');
  if (!['always', 'missing', 'never'].includes(policy))
    throw new Error(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
  return policy;
}

/** The file that takes the container's id; it must be new, and goes away if no id was written. */
function openIdFile(path: string): { write(id: string): void; close(): void } | undefined {
  if (path === '') return undefined;
  if (existsSync(path))
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o644);
  } catch (error) {
    // Node's text is "ENOENT: no such file or directory, open '…'"; Docker's has the words alone.
    const [, words = messageOf(error)] = /^[A-Z]+: (.*), open '/.exec(messageOf(error)) ?? [];
    throw new Error(`failed to create the container ID file: open ${path}: ${words}`);
  }
  let written = false;
  return {
    write(id) {
      writeSync(fd, id);
      written = true;
    },
    close() {
      closeSync(fd);
      if (!written) rmSync(path, { force: true });
    },
  };
}

/** The rest of its grammar is the engine's to judge. */
function checkPlatform(text: string): void {
  if (text.split('/').length > 3)
    throw new Error(
      `error parsing specified platform: ${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`,
    );
}
