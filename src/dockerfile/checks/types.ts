import type { LogicalLine } from '../types.ts';

/** Build checks: what is allowed in a Dockerfile but seldom meant (docs.docker.com/reference/build-checks). */
export interface Warning {
  rule: string;
  /** What the rule is about. */
  description: string;
  url: string;
  /** What is wrong here. */
  detail: string;
  /** Lines, from 1. */
  start: number;
  end: number;
}

/** The rules by name; those that are experimental are looked at only when asked for. */
export const RULES = {
  StageNameCasing: 'Stage names should be lowercase',
  FromAsCasing: "The 'as' keyword should match the case of the 'from' keyword",
  NoEmptyContinuation: 'Empty continuation lines will become errors in a future release',
  ConsistentInstructionCasing: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  DuplicateStageName: 'Stage names should be unique',
  ReservedStageName: 'Reserved words should not be used as stage names',
  JSONArgsRecommended:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  MaintainerDeprecated: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  UndefinedArgInFrom: 'FROM command must use declared ARGs',
  WorkdirRelativePath:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  UndefinedVar: 'Variables should be defined before their use',
  MultipleInstructionsDisallowed: 'Multiple instructions of the same type should not be used in the same stage',
  LegacyKeyValueFormat: 'Legacy key/value format with whitespace separator should not be used',
  RedundantTargetPlatform:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  SecretsUsedInArgOrEnv: 'Sensitive data should not be used in the ARG or ENV commands',
  InvalidDefaultArgInFrom: 'Default value for global ARG results in an empty or invalid base image name',
  FromPlatformFlagConstDisallowed: 'FROM --platform flag should not use a constant value',
  InvalidDefinitionDescription:
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  ExposeProtoCasing: 'Protocol in EXPOSE instruction should be lowercase',
  ExposeInvalidFormat:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  CopyIgnoredFile: 'Attempting to Copy file that is excluded by .dockerignore',
} as const;
export type RuleName = keyof typeof RULES;

export const EXPERIMENTAL: readonly RuleName[] = ['InvalidDefinitionDescription', 'CopyIgnoredFile'];

export interface CheckRequest {
  /** Overrides the file's directive (`BUILDKIT_DOCKERFILE_CHECK`). */
  options?: string | undefined;
  /** `TARGETPLATFORM` and its like. */
  platformArgs: ReadonlyMap<string, string>;
  /** Environment names of a base image, as far as it is known. */
  environmentOf: (base: string) => readonly string[];
  /** Whether this can be an image's name. */
  isReference: (text: string) => boolean;
  /** Whether .dockerignore leaves this path of the context out. */
  isIgnored: (path: string) => boolean;
}

export type Warn = (rule: RuleName, at: Pick<LogicalLine, 'line' | 'endLine'>, detail: string) => void;
