import { checkExtraHost } from '../run/create-flags.ts';
import { parseUlimit } from '../run/resources.ts';
import type { FlagSpec } from '../spec.ts';

const PROGRESS = ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'];

export const buildFlags: readonly FlagSpec[] = [
  {
    name: 'add-host',
    type: 'strings',
    usage: 'Add a custom host-to-IP mapping (format: "host:ip")',
    check: checkExtraHost,
  },
  { name: 'check', type: 'bool', usage: 'Look the Dockerfile through for what is seldom meant, and build nothing' },
  { name: 'build-arg', type: 'stringArray', usage: 'Set build-time variables' },
  { name: 'build-context', type: 'stringArray', usage: 'Additional build contexts (e.g., name=path)' },
  { name: 'cache-from', type: 'stringArray', usage: 'External cache sources (e.g., "user/app:cache")' },
  { name: 'cache-to', type: 'stringArray', usage: 'Cache export destinations (e.g., "type=inline")' },
  { name: 'cgroup-parent', type: 'string', usage: 'Set the parent cgroup for the "RUN" instructions during build' },
  { name: 'compress', type: 'bool', usage: 'Compress the build context using gzip' },
  { name: 'cpu-period', type: 'int', usage: 'Limit the CPU CFS (Completely Fair Scheduler) period' },
  { name: 'cpu-quota', type: 'int', usage: 'Limit the CPU CFS (Completely Fair Scheduler) quota' },
  { name: 'cpu-shares', short: 'c', type: 'int', usage: 'CPU shares (relative weight)' },
  { name: 'cpuset-cpus', type: 'string', usage: 'CPUs in which to allow execution (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', usage: 'MEMs in which to allow execution (0-3, 0,1)' },
  { name: 'file', short: 'f', type: 'string', usage: 'Name of the Dockerfile (default: "PATH/Dockerfile")' },
  { name: 'force-rm', type: 'bool', usage: 'Always remove intermediate containers', hidden: true },
  { name: 'iidfile', type: 'string', usage: 'Write the image ID to a file' },
  { name: 'label', type: 'stringArray', usage: 'Set metadata for an image' },
  { name: 'load', type: 'bool', usage: 'Shorthand for "--output=type=docker"' },
  { name: 'memory', short: 'm', type: 'bytes', usage: 'Memory limit' },
  {
    name: 'memory-swap',
    type: 'bytes',
    unlimited: true,
    usage: 'Swap limit equal to memory plus swap: -1 to enable unlimited swap',
  },
  { name: 'metadata-file', type: 'string', usage: 'Write build result metadata to a file' },
  {
    name: 'network',
    type: 'string',
    usage: 'Set the networking mode for the "RUN" instructions during build (default "default")',
    default: 'default',
  },
  { name: 'no-cache', type: 'bool', usage: 'Do not use cache when building the image' },
  { name: 'no-cache-filter', type: 'stringArray', usage: 'Do not cache specified stages' },
  { name: 'output', short: 'o', type: 'stringArray', usage: 'Output destination (format: "type=local,dest=path")' },
  { name: 'platform', type: 'stringArray', usage: 'Set target platform for build' },
  {
    name: 'progress',
    type: 'string',
    usage:
      'Set type of progress output ("auto", "none",  "plain", "quiet", "rawjson", "tty"). Use plain to show container output (default "auto")',
    default: 'auto',
    check: (value) => {
      if (!PROGRESS.includes(value)) throw new Error(`invalid progress mode ${value}`);
      return value;
    },
  },
  { name: 'pull', type: 'bool', usage: 'Always attempt to pull all referenced images' },
  { name: 'push', type: 'bool', usage: 'Push the tags after the build' },
  { name: 'quiet', short: 'q', type: 'bool', usage: 'Suppress the build output and print image ID on success' },
  {
    name: 'rm',
    type: 'bool',
    usage: 'Remove intermediate containers after a successful build',
    default: 'true',
    hidden: true,
  },
  {
    name: 'secret',
    type: 'stringArray',
    usage: 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")',
  },
  { name: 'security-opt', type: 'strings', usage: 'Security options' },
  { name: 'shm-size', type: 'bytes', usage: 'Shared memory size for build containers' },
  { name: 'squash', type: 'bool', usage: 'Squash newly built layers into a single new layer' },
  {
    name: 'ssh',
    type: 'stringArray',
    usage: 'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
  },
  { name: 'tag', short: 't', type: 'stringArray', usage: 'Name and optionally a tag (format: "name:tag")' },
  { name: 'target', type: 'string', usage: 'Set the target build stage to build' },
  {
    name: 'ulimit',
    type: 'ulimit',
    usage: 'Ulimit options (default [])',
    check: (value) => {
      parseUlimit(value);
      return value;
    },
  },
  { name: 'isolation', type: 'string', usage: '', hidden: true },
  { name: 'disable-content-trust', type: 'bool', usage: '', hidden: true, default: 'true' },
];
