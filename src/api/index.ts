export { type Api, type ApiOptions, createApi } from './server.ts';
export { NEWEST as NEWEST_API_VERSION, OLDEST as OLDEST_API_VERSION, versionText } from './version.ts';
