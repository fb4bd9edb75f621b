import { createRequire, enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// As the command line does it (src/cli/launch.ts). A CommonJS bundle spares the daemon, too, what an import of node:http evaluates: all of its lazy parts.
enableCompileCache(fileURLToPath(new URL('./cache', import.meta.url)));
createRequire(import.meta.url)('./gantryd-main.cjs');
