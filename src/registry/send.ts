import type { Dispatcher } from 'undici';
import { isKind } from '../common/index.ts';
import type { Connections } from './connections.ts';
import { networkError } from './failures.ts';
import type { Reply, Transport } from './types.ts';

const USER_AGENT = 'gantry';

/** The lowest layer: one request over the wire. Throws NetworkError when no answer came. */
export function sender(connections: Connections, { insecure }: { insecure: boolean }): Transport {
  return async ({ method, url, headers, body, signal }) => {
    signal.throwIfAborted();
    const content = await body?.();
    try {
      const { request } = await import('undici');
      const response = await request(url, {
        method,
        dispatcher: await connections.to(url, { insecure }),
        signal,
        headers: { 'user-agent': USER_AGENT, ...headers },
        body: content ?? null,
      });
      return replyOf(response, url);
    } catch (error) {
      if (signal.aborted || isKind(error, 'cancelled')) throw error;
      throw networkError({ method, url }, error);
    }
  };
}

function replyOf(response: Dispatcher.ResponseData, url: string): Reply {
  return {
    status: response.statusCode,
    url,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: response.body as unknown as Reply['body'],
  };
}
