import { EngineError, invalid } from '../common/index.ts';

/** Minor number of an API version 1.x. */
export type ApiVersion = number;
export const NEWEST: ApiVersion = 51;
export const OLDEST: ApiVersion = 24;

export const versionText = (version: ApiVersion): string => `1.${version}`;

/** A request for a version below 1.24: clients that old read plain text (moby api/server/httputils). */
export class TooOld extends EngineError {}

/** The version of a path `/v1.45/…`; the newest if it names none. Throws invalid in Docker's words. */
export function parseVersion(text: string | undefined): ApiVersion {
  if (text === undefined) return NEWEST;
  const [major = 0, minor = 0] = text.split('.').map(Number);
  if (major > 1 || (major === 1 && minor > NEWEST))
    throw invalid(`client version ${text} is too new. Maximum supported API version is ${versionText(NEWEST)}`);
  if (major < 1 || minor < OLDEST)
    throw new TooOld(
      'invalid',
      `client version ${text} is too old. Minimum supported API version is ${versionText(OLDEST)}, please upgrade your client to a newer version`,
    );
  return minor;
}
