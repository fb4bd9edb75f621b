import { HUB, hostOf, registryAuth, serverKey, storeAuth } from '../credentials.ts';
import { errorText } from '../dispatch.ts';
import type { Cli } from '../session.ts';
import { atMost, type Call, type CommandSpec } from '../spec.ts';
import { readLine } from '../terminal/confirm.ts';
import { readSecret } from '../terminal/secret.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] [SERVER]',
  long: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  examples: [
    'gantry login registry.example.com',
    'pass show registry | gantry login -u me --password-stdin registry.example.com',
  ],
  flags: [
    { name: 'password', short: 'p', type: 'string', usage: 'Password or Personal Access Token (PAT)' },
    { name: 'password-stdin', type: 'bool', usage: 'Take the Password or Personal Access Token (PAT) from stdin' },
    { name: 'username', short: 'u', type: 'string', usage: 'Username' },
  ],
  args: atMost(1),
  run,
};

async function run({ args, flags, cli }: Call): Promise<void> {
  const server = args[0] === undefined || args[0] === 'docker.io' || args[0] === 'index.docker.io' ? HUB : args[0];
  const key = server === HUB ? HUB : serverKey(hostOf(server));
  let username = flags.text('username');
  let password = flags.text('password');
  if (flags.bool('password-stdin')) {
    if (flags.changed('password'))
      throw new Error('conflicting options: cannot specify both --password and --password-stdin');
    if (username === '') throw new Error('the --password-stdin option requires --username to be set');
    password = (await readAll(cli.stdin)).replace(/\r?\n$/, '');
  } else if (flags.changed('password')) {
    if (password === '') throw new Error('password is empty');
    cli.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
  }
  if (username === '' && password === '') {
    const status = await withStored(cli, key);
    if (status !== undefined) {
      cli.print(`${status}\n`);
      return;
    }
  }
  const client = await cli.client();
  const terminal = Boolean(cli.stdin.isTTY);
  if (username === '') {
    if (!terminal) throw new Error('Error: Cannot perform an interactive login from a non TTY device');
    const known = cli.config.data.auths?.[key]?.auth;
    const before = known ? Buffer.from(known, 'base64').toString().split(':')[0]! : '';
    cli.print(before === '' ? 'Username: ' : `Username (${before}): `);
    username = ((await readLine(cli)) ?? '').trim() || before;
    if (username === '') throw new Error('Error: Non-null Username Required');
  }
  if (password === '') {
    if (!terminal) throw new Error('Error: Cannot perform an interactive login from a non TTY device');
    password = await readSecret(cli, 'Password: ');
    if (password === '') throw new Error('Error: Password Required');
  }
  const answer = await client.system.login({ username, password, serveraddress: key });
  const auth = answer.IdentityToken ? { username, identitytoken: answer.IdentityToken } : { username, password };
  if (await storeAuth(cli, key, auth))
    cli.warn(
      `\nWARNING! Your credentials are stored unencrypted in '${cli.config.dir}/config.json'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
    );
  cli.print(`${answer.Status}\n`);
}

/** Tries the credentials that are kept already, as Docker does before it asks; what the daemon said, or nothing if they did not do. */
async function withStored(cli: Cli, key: string): Promise<string | undefined> {
  const stored = await registryAuth(cli, key === HUB ? '' : key);
  if (!stored?.username || !stored.password) return undefined;
  cli.warn(`Authenticating with existing credentials... [Username: ${stored.username}]\n`);
  cli.warn("\n Info -> To login with a different account, run 'gantry logout' followed by 'gantry login'\n\n\n");
  const client = await cli.client();
  try {
    return (await client.system.login({ ...stored, serveraddress: key })).Status;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConnectionError') throw error;
    const refused = (error as { status?: number }).status === 401;
    cli.warn(
      refused ? 'Stored credentials invalid or expired\n' : `Login did not succeed, error: ${errorText(error)}\n`,
    );
    return undefined;
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.length > 1_000_000) throw new Error('the password on standard input is too long');
  }
  return text;
}
