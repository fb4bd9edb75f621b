import { chmodSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

/**
 * Bundles the programs into dist/. Packages with native code or lazily loaded assets stay outside. The command line and the daemon are one CommonJS
 * file each behind a launcher that turns the compile cache on: that starts in half the time of split modules (see src/cli/launch.ts).
 */
const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  external: ['koffi', 'node-unix-socket', 'ink', 'react'],
  // Bundled CommonJS packages call require(); an ES module has none of its own.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
};

const commonJs: BuildOptions = {
  ...common,
  format: 'cjs',
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  // CommonJS has no import.meta; what needs its own place gets it from __filename.
  banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__url', 'import.meta.filename': '__filename' },
};
await build({ ...commonJs, entryPoints: { 'gantry-cli': 'src/cli/main.ts' }, minify: true });
await build({ ...commonJs, entryPoints: { 'gantryd-main': 'src/daemon/main.ts' } });
await build({
  ...common,
  entryPoints: { gantry: 'src/cli/launch.ts', gantryd: 'src/daemon/launch.ts' },
  outdir: 'dist',
});
await build({
  ...common,
  entryPoints: {
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    companion: 'src/network/companion-main.ts',
    'archive-worker': 'src/archive/worker.ts',
  },
  outdir: 'dist',
});
for (const name of ['gantry', 'gantryd', 'companion']) chmodSync(`dist/${name}.mjs`, 0o755);
await import('./man.ts');
