import koffi from 'koffi';
import { internal } from '../common/index.ts';

/** Runs nftables commands in the daemon's process: one text, one transaction. */
export interface Nft {
  /** All or nothing; throws with nft's own words. */
  run(commands: string): void;
  /** As `run`, with the output as JSON text (libnftables-json(5)). */
  query(commands: string): string;
  close(): void;
}

/** libnftables.h: NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL. */
const OUTPUT_JSON = 1 << 4;
const OUTPUT_NUMERIC = (1 << 2) | (1 << 5) | (1 << 7) | (1 << 8);

/** libnftables(3). The context belongs to the network namespace that the thread is in when it is made. */
export function openNft(): Nft {
  const library = koffi.load('libnftables.so.1');
  const create = library.func('void *nft_ctx_new(uint32_t)');
  const free = library.func('void nft_ctx_free(void *)');
  const runBuffer = library.func('int nft_run_cmd_from_buffer(void *, const char *)');
  const bufferOutput = library.func('int nft_ctx_buffer_output(void *)');
  const bufferError = library.func('int nft_ctx_buffer_error(void *)');
  const output = library.func('const char *nft_ctx_get_output_buffer(void *)');
  const errors = library.func('const char *nft_ctx_get_error_buffer(void *)');
  const setFlags = library.func('void nft_ctx_output_set_flags(void *, unsigned int)');

  const make = (flags: number): unknown => {
    const context = create(0);
    if (context === null) throw internal('nftables: no context');
    bufferOutput(context);
    bufferError(context);
    setFlags(context, flags);
    return context;
  };
  const context = make(0);
  const asking = make(OUTPUT_JSON | OUTPUT_NUMERIC);
  const run = (on: unknown, commands: string): string => {
    const code = Number(runBuffer(on, commands));
    const out = String(output(on) ?? '');
    const err = String(errors(on) ?? '');
    if (code !== 0) throw internal(`nftables: ${err.trim() || `error ${code}`}`);
    return out;
  };
  return {
    run: (commands) => {
      run(context, commands);
    },
    query: (commands) => run(asking, commands),
    close: () => {
      free(context);
      free(asking);
    },
  };
}
