import { createRequire, enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// What V8 compiled is kept beside the program, which only its owner can write to; a shared /tmp would let others plant code.
enableCompileCache(fileURLToPath(new URL('./cache', import.meta.url)));
// One CommonJS file starts faster than many modules: each of its parts is still evaluated only when its command needs it.
createRequire(import.meta.url)('./gantry-cli.cjs');
