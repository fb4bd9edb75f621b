export * from './execute.ts';
export { builtins, dockerFunctions, goJson, headerFunctions } from './functions.ts';
export * from './go-values.ts';
export * from './parse.ts';
export { quote } from './quote.ts';
export * from './types.ts';
