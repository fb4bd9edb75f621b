import { invalid } from '../common/index.ts';

const ALLOWED = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** moby volume/local: at least two characters of the allowed set, so that a name is one part of a path and leads nowhere. */
export function checkVolumeName(name: string): void {
  if (name.length < 2)
    throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  if (!ALLOWED.test(name))
    throw invalid(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  // The longest file name; a directory of its own carries it.
  if (name.length > 255)
    throw invalid(`create ${name}: volume name is too long, names should be at most 255 characters`);
}
