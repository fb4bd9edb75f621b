export { type Checked, checkDockerfile } from './checks/check.ts';
export type { Warning } from './checks/types.ts';
export { IgnoreMatcher, readIgnoreFile } from './dockerignore.ts';
export { compileFileMatch, hasWildcards, unescapePath } from './file-match.ts';
export { heredocStart } from './lines.ts';
export { parseDockerfile, parseTrigger } from './parse.ts';
export { type Lookup, type SubstitutionOptions, substitute, substituteWords } from './substitute.ts';
export type * from './types.ts';
