import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { unauthorized, unavailable } from '../../common/index.ts';
import type { RegistryAuth } from '../../wire/index.ts';

const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
  refresh_token: z.string().optional(),
});

/** `Bearer realm="…",service="…"` (RFC 7235; distribution-spec). */
function parseChallenge(header: string): { scheme: string; parameters: Record<string, string> } {
  const [scheme = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(header)?.slice(1) ?? [];
  const parameters: Record<string, string> = {};
  for (const [, key, quoted, bare] of rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g))
    parameters[key!.toLowerCase()] = quoted ?? bare ?? '';
  return { scheme: scheme.toLowerCase(), parameters };
}

/** The password in any of Docker's forms. Never logged. */
export function credentialsOf(auth: RegistryAuth | undefined): { username: string; password: string } | undefined {
  if (auth === undefined) return undefined;
  if (auth.username) return { username: auth.username, password: auth.password ?? '' };
  if (auth.auth) {
    const text = Buffer.from(auth.auth, 'base64').toString();
    const cut = text.indexOf(':');
    if (cut > 0) return { username: text.slice(0, cut), password: text.slice(cut + 1) };
  }
  return undefined;
}

interface Token {
  value: string;
  expiresMs: number;
}

/** Answers a registry's challenges: basic, or a bearer token by scope, kept until shortly before it ends. */
export class Authorizer {
  readonly #auth: RegistryAuth | undefined;
  readonly #tokens = new Map<string, Token>();
  #basic: string | undefined;
  constructor(auth: RegistryAuth | undefined) {
    this.#auth = auth;
  }

  /** The header for a request, from what is known so far. */
  header(scope: string): string | undefined {
    if (this.#auth?.registrytoken) return `Bearer ${this.#auth.registrytoken}`;
    const token = this.#tokens.get(scope);
    if (token !== undefined && token.expiresMs > Date.now()) return `Bearer ${token.value}`;
    return this.#basic;
  }

  /** Answers a 401; false if there is nothing more to try. */
  async answer(
    challenge: string | undefined,
    scope: string,
    dispatcher: Dispatcher,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (challenge === undefined) return false;
    const { scheme, parameters } = parseChallenge(challenge);
    const credentials = credentialsOf(this.#auth);
    if (scheme === 'basic') {
      if (credentials === undefined || this.#basic !== undefined) return false;
      this.#basic = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
      return true;
    }
    if (scheme !== 'bearer' || parameters.realm === undefined) return false;
    this.#tokens.set(
      scope,
      await this.#fetchToken(
        parameters.realm,
        parameters.service ?? '',
        scope || (parameters.scope ?? ''),
        dispatcher,
        signal,
      ),
    );
    return true;
  }

  async #fetchToken(
    realm: string,
    service: string,
    scope: string,
    dispatcher: Dispatcher,
    signal: AbortSignal,
  ): Promise<Token> {
    const credentials = credentialsOf(this.#auth);
    const scopes = scope === '' ? [] : scope.split(' ');
    let response: Dispatcher.ResponseData;
    if (this.#auth?.identitytoken) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        service,
        client_id: 'gantry',
        refresh_token: this.#auth.identitytoken,
        ...(scope === '' ? {} : { scope }),
      });
      response = await request(realm, {
        method: 'POST',
        dispatcher,
        signal,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      });
    } else {
      const url = new URL(realm);
      if (service !== '') url.searchParams.set('service', service);
      for (const each of scopes) url.searchParams.append('scope', each);
      if (credentials !== undefined) url.searchParams.set('account', credentials.username);
      const headers =
        credentials === undefined
          ? {}
          : {
              authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`,
            };
      response = await request(url, { dispatcher, signal, headers });
    }
    const text = await response.body.text();
    if (response.statusCode === 401 || response.statusCode === 403)
      throw unauthorized('unauthorized: incorrect username or password');
    if (response.statusCode !== 200)
      throw unavailable(`unexpected status from the token server: ${response.statusCode}`);
    const answer = TokenAnswer.parse(JSON.parse(text));
    const value = answer.token ?? answer.access_token;
    if (value === undefined) throw unavailable('authorization server did not include a token in the response');
    return { value, expiresMs: Date.now() + Math.max(10, (answer.expires_in ?? 60) - 10) * 1000 };
  }
}
