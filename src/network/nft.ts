import koffi from 'koffi';
import { internal } from '../common/index.ts';

/** nftables commands run in this process: one text, one transaction. Bound to the network namespace it was opened in. */
export interface Nft {
  /** All or nothing; throws with nft's own words. */
  run(commands: string): void;
  /** As `run`, with the output as JSON text (libnftables-json(5)). */
  query(commands: string): string;
  close(): void;
}

/** libnftables.h: NFT_CTX_OUTPUT_JSON. */
const OUTPUT_JSON = 1 << 4;

/**
 * libnftables(3), loaded once. Each call of the answer opens a context in the network namespace that the thread is in. Throws where
 * the machine has no libnftables.
 */
export function loadNftables(): () => Nft {
  const library = koffi.load('libnftables.so.1');
  const create = library.func('void *nft_ctx_new(uint32_t)');
  const free = library.func('void nft_ctx_free(void *)');
  const runBuffer = library.func('int nft_run_cmd_from_buffer(void *, const char *)');
  const bufferOutput = library.func('int nft_ctx_buffer_output(void *)');
  const bufferError = library.func('int nft_ctx_buffer_error(void *)');
  const output = library.func('const char *nft_ctx_get_output_buffer(void *)');
  const errors = library.func('const char *nft_ctx_get_error_buffer(void *)');
  const setFlags = library.func('void nft_ctx_output_set_flags(void *, unsigned int)');

  return () => {
    const context: unknown = create(0);
    if (context === null) throw internal('nftables: no context');
    bufferOutput(context);
    bufferError(context);
    const run = (commands: string): string => {
      const code = Number(runBuffer(context, commands));
      const out = String(output(context) ?? '');
      const err = String(errors(context) ?? '');
      if (code !== 0) throw internal(`nftables: ${err.trim() || `error ${code}`}`);
      return out;
    };
    return {
      run: (commands) => {
        run(commands);
      },
      query: (commands) => {
        setFlags(context, OUTPUT_JSON);
        try {
          return run(commands);
        } finally {
          setFlags(context, 0);
        }
      },
      close: () => free(context),
    };
  };
}
