import { chmodSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

/**
 * Bundles the three programs into dist/. Packages with native code or lazily loaded assets stay outside; the command line is
 * split, so that a command loads only what it needs.
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

await build({
  ...common,
  entryPoints: { gantry: 'src/cli/main.ts' },
  outdir: 'dist',
  splitting: true,
  chunkNames: 'cli/[name]-[hash]',
  minify: true,
});
await build({
  ...common,
  entryPoints: {
    gantryd: 'src/daemon/main.ts',
    companion: 'src/network/companion-main.ts',
    'archive-worker': 'src/archive/worker.ts',
  },
  outdir: 'dist',
});
for (const name of ['gantry', 'gantryd', 'companion']) chmodSync(`dist/${name}.mjs`, 0o755);
