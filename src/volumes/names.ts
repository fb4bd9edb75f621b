import { invalid } from '../common/index.ts';

/** moby volume/service: at least two characters of the allowed set. */
export function checkVolumeName(name: string): void {
  if (name.length < 2) throw invalid('volume name is too short, names should be at least two alphanumeric characters');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw invalid(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
}
