import { z } from 'zod';
import { internal } from '../common/index.ts';
import type { Challenge } from './challenge.ts';
import { basicHeader, type Credentials } from './credentials.ts';
import { failureOf } from './failures.ts';
import type { Reply, Transport } from './types.ts';

const Answer = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().nullish(),
  refresh_token: z.string().nullish(),
});

export interface Token {
  value: string;
  expiresMs: number;
  /** Given when it was asked for (login). */
  identity: string | undefined;
}

export interface TokenRequest {
  challenge: Challenge;
  scopes: readonly string[];
  credentials: Credentials | undefined;
  /** An identity token (OAuth2 refresh token). */
  identity: string | undefined;
  /** Ask for an identity token. */
  offline: boolean;
  signal: AbortSignal;
}

/** The distribution token spec: a token without `expires_in` is good for a minute; ended a little early, for clocks differ. */
const DEFAULT_SECONDS = 60;
const MARGIN_SECONDS = 10;
const CLIENT_ID = 'gantry';

/**
 * Fetches a bearer token: by GET with basic auth or anonymously (distribution docs/spec/auth/token.md), by an OAuth2 POST with an
 * identity token (auth/oauth.md). Throws unauthorized when the server refuses.
 */
export async function fetchToken(send: Transport, request: TokenRequest): Promise<Token> {
  const { realm } = request.challenge.parameters;
  if (realm === undefined || !URL.canParse(realm))
    throw internal('no token server given in the challenge of the registry');
  const reply = await (request.identity === undefined
    ? byGet(send, realm, request)
    : byPost(send, realm, request.identity, request));
  if (reply.status !== 200) throw await failureOf(reply);
  let answer: z.output<typeof Answer>;
  try {
    answer = Answer.parse(JSON.parse(await reply.body.text()));
  } catch {
    throw internal('unable to decode token response');
  }
  const value = answer.token || answer.access_token;
  if (!value) throw internal('authorization server did not include a token in the response');
  const seconds = Math.max(DEFAULT_SECONDS, answer.expires_in ?? DEFAULT_SECONDS);
  return {
    value,
    expiresMs: Date.now() + (seconds - MARGIN_SECONDS) * 1000,
    identity: answer.refresh_token ?? undefined,
  };
}

function byGet(
  send: Transport,
  realm: string,
  { challenge, scopes, credentials, offline, signal }: TokenRequest,
): Promise<Reply> {
  const url = new URL(realm);
  const { service } = challenge.parameters;
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (offline) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT_ID);
  }
  if (credentials !== undefined) url.searchParams.set('account', credentials.username);
  const headers: Record<string, string> = credentials === undefined ? {} : { authorization: basicHeader(credentials) };
  return send({ method: 'GET', url: url.href, headers, signal });
}

function byPost(
  send: Transport,
  realm: string,
  identity: string,
  { challenge, scopes, signal }: TokenRequest,
): Promise<Reply> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: identity,
    service: challenge.parameters.service ?? '',
    client_id: CLIENT_ID,
    scope: scopes.join(' '),
  });
  return send({
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: () => Buffer.from(form.toString()),
    signal,
  });
}
