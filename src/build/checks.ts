import { invalid, messageOf } from '../common/index.ts';
import { type Checked, checkDockerfile, type Dockerfile, parseDockerfile } from '../dockerfile/index.ts';
import type { ImageStore } from '../images/index.ts';
import { parseReference } from '../registry/index.ts';
import type { BuildChecks } from '../wire/index.ts';

export interface CheckParts {
  images: Pick<ImageStore, 'find'>;
  /** `BUILDKIT_DOCKERFILE_CHECK` of the build's arguments. */
  options: string | undefined;
  platformArgs: ReadonlyMap<string, string>;
  isIgnored: (path: string) => boolean;
}

/** What the checks say of a Dockerfile. */
export function checksOf(
  text: string,
  { images, options, platformArgs, isIgnored }: CheckParts,
  file?: Dockerfile,
): Checked {
  return checkDockerfile(
    text,
    {
      options,
      platformArgs,
      environmentOf: (base) => (images.find(base)?.config.config?.Env ?? []).map((pair) => pair.split('=', 1)[0]!),
      isReference,
      isIgnored,
    },
    file,
  );
}

/** A report for `checks=only`: a file that cannot be read is an error in it. */
export function checksReport(text: string, filename: string, parts: CheckParts): BuildChecks {
  const report = { filename, source: text, warnings: [] };
  try {
    const { warnings, error } = checksOf(text, parts, parseDockerfile(text));
    return {
      ...report,
      warnings,
      ...(error && warnings.length > 0 ? { error: { message: violation(warnings) } } : {}),
    };
  } catch (error) {
    const message = messageOf(error);
    const line = /\bon line (\d+)/.exec(message)?.[1];
    return { ...report, error: { message, ...(line === undefined ? {} : { line: Number(line) }) } };
  }
}

/** `error=true`: what is only warned of elsewhere makes this build fail. */
export function refuseViolations({ warnings, error }: Checked): void {
  if (error && warnings.length > 0) throw invalid(violation(warnings));
}

const violation = (warnings: Checked['warnings']): string =>
  `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(', ')}`;

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
