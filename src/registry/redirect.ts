import { internal } from '../common/index.ts';
import type { Call, Transport } from './types.ts';

const MOST = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Follows redirects of GET and HEAD: blobs often live elsewhere. To another origin the call goes by `elsewhere`, which knows no
 * credentials: those are the registry's alone.
 */
export function withRedirects(transport: Transport, elsewhere: Transport): Transport {
  return async (call) => {
    let next: Call = call;
    let away = false;
    for (let hops = 0; ; hops++) {
      const reply = await (away ? elsewhere : transport)(next);
      const location = reply.header('location');
      const follow =
        (call.method === 'GET' || call.method === 'HEAD') && REDIRECTS.has(reply.status) && location !== undefined;
      if (!follow) return reply;
      await reply.body.dump();
      if (hops >= MOST) throw internal(`stopped after ${MOST} redirects`);
      const url = new URL(location, reply.url);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw internal(`redirect to ${url.protocol} is refused`);
      away ||= url.origin !== new URL(call.url).origin;
      next = { ...next, url: url.href };
    }
  };
}
