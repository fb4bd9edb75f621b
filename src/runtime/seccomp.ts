import { arch, release } from 'node:os';
import { z } from 'zod';
import { invalid } from '../common/index.ts';
import defaultProfile from './seccomp-default.json' with { type: 'json' };

const Rule = z.object({
  name: z.string().optional(),
  names: z.array(z.string()).nullish(),
  action: z.string(),
  errnoRet: z.number().optional(),
  args: z
    .array(z.object({ index: z.number(), value: z.number(), valueTwo: z.number().optional(), op: z.string() }))
    .nullish(),
  includes: z
    .object({
      caps: z.array(z.string()).nullish(),
      arches: z.array(z.string()).nullish(),
      minKernel: z.string().optional(),
    })
    .nullish(),
  excludes: z
    .object({
      caps: z.array(z.string()).nullish(),
      arches: z.array(z.string()).nullish(),
      minKernel: z.string().optional(),
    })
    .nullish(),
});
/** Docker's profile form (moby profiles/seccomp). */
const Profile = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.number().optional(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  syscalls: z.array(Rule).nullish(),
  flags: z.array(z.string()).nullish(),
  listenerPath: z.string().optional(),
  listenerMetadata: z.string().optional(),
});

const MACHINES: Record<string, { go: string; seccomp: string }> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

const kernelAtLeast = (wanted: string, kernel: string) => {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
};

/** OCI linux.seccomp from a profile, for these capabilities (bounding set) and this machine. `undefined` text means the default profile. */
export function seccompFor(
  profileJson: string | undefined,
  capabilities: readonly string[],
  kernel: string = release(),
): Record<string, unknown> {
  let given: unknown = defaultProfile;
  if (profileJson !== undefined) {
    try {
      given = JSON.parse(profileJson);
    } catch (error) {
      throw invalid(`Decoding seccomp profile failed: ${(error as Error).message}`);
    }
  }
  const parsed = Profile.safeParse(given);
  if (!parsed.success) throw invalid(`Decoding seccomp profile failed: ${parsed.error.issues[0]?.message}`);
  const profile = parsed.data;
  const machine = MACHINES[arch()];
  if (profile.architectures?.length && profile.archMap?.length)
    throw invalid(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  const mapped = profile.archMap?.find((entry) => entry.architecture === machine?.seccomp);
  const architectures =
    mapped === undefined ? (profile.architectures ?? []) : [mapped.architecture, ...(mapped.subArchitectures ?? [])];
  const applies = (rule: z.infer<typeof Rule>) => {
    const { includes, excludes } = rule;
    const here = machine?.go ?? arch();
    if (excludes?.arches?.includes(here)) return false;
    if (excludes?.caps?.some((cap) => capabilities.includes(cap))) return false;
    if (excludes?.minKernel !== undefined && kernelAtLeast(excludes.minKernel, kernel)) return false;
    if (includes?.arches?.length && !includes.arches.includes(here)) return false;
    if (includes?.caps?.length && !includes.caps.every((cap) => capabilities.includes(cap))) return false;
    return includes?.minKernel === undefined || kernelAtLeast(includes.minKernel, kernel);
  };
  const syscalls = (profile.syscalls ?? []).filter(applies).map((rule) => ({
    names: rule.names?.length ? rule.names : [rule.name ?? ''],
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args?.length ? { args: rule.args } : {}),
  }));
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(profile.flags?.length ? { flags: profile.flags } : {}),
    ...(syscalls.length > 0 ? { syscalls } : {}),
  };
}
