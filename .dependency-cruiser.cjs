/** The rooms and who may import whom: docs/architecture.md. */
const room = (name) => `^src/${name}/`;
const only = (name, allowed) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment: `${name} may import only ${allowed.join(', ') || 'nothing of ours'}`,
  from: { path: room(name), pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: [name, ...allowed].map((other) => room(other)) },
});
module.exports = {
  forbidden: [
    // No rule for cycles: rooms cannot form one, since the lists below have none.
    {
      name: 'front-doors',
      severity: 'error',
      comment: 'another room is imported by its index.ts only',
      from: { path: '^src/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/([^/]+)/.+', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    only('common', []),
    only('template', ['common']),
    only('wire', ['common']),
    only('sys', ['common']),
    only('state', ['common']),
    only('archive', ['common', 'sys']),
    only('content', ['common', 'wire', 'sys', 'state']),
    only('layers', ['common', 'wire', 'sys', 'state', 'archive', 'content']),
    only('registry', ['common', 'wire', 'content']),
    only('images', ['common', 'wire', 'sys', 'state', 'archive', 'content', 'layers', 'registry', 'dockerfile']),
    only('runtime', ['common', 'wire', 'sys', 'state']),
    only('network', ['common', 'wire', 'sys', 'state']),
    only('volumes', ['common', 'wire', 'sys', 'state', 'archive', 'layers']),
    only('dockerfile', ['common']),
    only('build', ['common', 'wire', 'sys', 'state', 'archive', 'content', 'layers', 'images', 'registry', 'dockerfile']),
    only('engine', ['common', 'template', 'wire', 'sys', 'state', 'archive', 'content', 'layers', 'images', 'registry', 'runtime', 'network', 'volumes', 'build']),
    only('api', ['common', 'wire', 'engine', 'archive', 'build']),
    only('client', ['common', 'wire', 'archive', 'dockerfile']),
    only('cli', ['common', 'wire', 'client', 'template', 'archive', 'dockerfile', 'registry', 'sys']),
  ],
  options: { exclude: { path: '\\.test\\.ts$' }, parser: 'swc', tsPreCompilationDeps: true, enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] } },
};
