import type { RegistryAuth } from '../wire/index.ts';

export interface Credentials {
  username: string;
  password: string;
}

/** User and password in any of Docker's forms. */
export function credentialsOf(auth: RegistryAuth | undefined): Credentials | undefined {
  if (auth?.username) return { username: auth.username, password: auth.password ?? '' };
  if (!auth?.auth) return undefined;
  const text = Buffer.from(auth.auth, 'base64').toString();
  const cut = text.indexOf(':');
  return cut > 0 ? { username: text.slice(0, cut), password: text.slice(cut + 1) } : undefined;
}

export const basicHeader = ({ username, password }: Credentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
