import { EngineError, internal, kindOf, messageOf } from '../common/index.ts';
import type { RegistryAuth } from '../wire/index.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicHeader, credentialsOf } from './credentials.ts';
import { prefixOf } from './failures.ts';
import { fetchToken, type Token } from './token.ts';
import type { Call, Transport } from './types.ts';

/** A call is challenged at most so often: once for no token, once for one that ended meanwhile. */
const MAX_CHALLENGES = 2;

/** Answers the challenges of one registry, with one user's credentials. Tokens are kept by scope until shortly before they end. */
export class Authorizer {
  readonly #auth: RegistryAuth | undefined;
  readonly #send: Transport;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;
  /** The identity token of a login. */
  identity: string | undefined;
  readonly #offline: boolean;

  /** `send` reaches the token server. `offline`: ask for an identity token too. */
  constructor(auth: RegistryAuth | undefined, send: Transport, { offline = false }: { offline?: boolean } = {}) {
    this.#auth = auth;
    this.#send = send;
    this.#offline = offline;
  }

  /** What the registry asks for, as it said when it was greeted. */
  learn(header: string | undefined): void {
    const [challenge] = parseChallenges(header);
    if (challenge !== undefined) this.#challenge = challenge;
  }

  /** The transport with an Authorization header on each call; a 401 is answered and the call sent again. */
  wrap(transport: Transport): Transport {
    return async (call) => {
      for (let challenged = 0; ; challenged++) {
        const authorization = await this.#header(call);
        const headers = authorization === undefined ? call.headers : { ...call.headers, authorization };
        const reply = await transport({ ...call, headers });
        if (reply.status !== 401 || challenged >= MAX_CHALLENGES - 1) return reply;
        if (!this.#retake(reply.header('www-authenticate'), authorization, call)) return reply;
        await reply.body.dump();
      }
    };
  }

  /** True when another try can go differently. */
  #retake(header: string | undefined, sent: string | undefined, call: Call): boolean {
    const [challenge] = parseChallenges(header);
    if (challenge === undefined) return false;
    const before = this.#challenge;
    this.#challenge = challenge;
    if (challenge.scheme === 'basic') return sent === undefined;
    if (this.#auth?.registrytoken) return false;
    // A challenge may name a scope that the call did not know of.
    if (challenge.parameters.error === 'insufficient_scope' && before !== undefined) return false;
    this.#tokens.delete(this.#scopes(call).join(' '));
    return true;
  }

  #scopes(call: Call): readonly string[] {
    if (call.scopes !== undefined && call.scopes.length > 0) return call.scopes;
    const { scope } = this.#challenge?.parameters ?? {};
    return scope === undefined || scope === '' ? [] : scope.split(' ');
  }

  async #header(call: Call): Promise<string | undefined> {
    if (this.#auth?.registrytoken) return `Bearer ${this.#auth.registrytoken}`;
    if (this.#challenge === undefined) return undefined;
    try {
      if (this.#challenge.scheme === 'bearer') return `Bearer ${(await this.#token(this.#challenge, call)).value}`;
      const credentials = credentialsOf(this.#auth);
      if (credentials === undefined) throw internal('no basic auth credentials');
      return basicHeader(credentials);
    } catch (error) {
      if (call.signal.aborted) throw error;
      throw new EngineError(kindOf(error), `${prefixOf(call)}${messageOf(error)}`);
    }
  }

  async #token(challenge: Challenge, call: Call): Promise<Token> {
    const scopes = this.#scopes(call);
    const key = scopes.join(' ');
    const known = await this.#tokens.get(key)?.catch(() => undefined);
    if (known !== undefined && known.expiresMs > Date.now()) return known;
    const fetched = fetchToken(this.#send, {
      challenge,
      scopes,
      credentials: credentialsOf(this.#auth),
      identity: this.#auth?.identitytoken || undefined,
      offline: this.#offline,
      signal: call.signal,
    });
    this.#tokens.set(key, fetched);
    const token = await fetched;
    this.identity = token.identity ?? this.identity;
    return token;
  }
}
