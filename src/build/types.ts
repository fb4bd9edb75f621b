import type { Readable } from 'node:stream';

/**
 * The builder runs a step's process through this, which the engine gives; so the solver knows neither conmon nor networks.
 */
export interface StepRunner {
  /** Runs to the end; the exit code is the answer. Abort kills the process and leaves nothing. */
  run(step: {
    /** Mounted root directory, writable. */
    rootfs: string;
    args: string[];
    env: string[];
    cwd: string;
    user: string;
    /** `default`, `none`, `host` or a network name. */
    network: string;
    privileged: boolean;
    extraHosts: string[];
    hostname: string;
    mounts: { type: 'bind' | 'tmpfs'; source?: string; target: string; readonly: boolean; options?: string[] }[];
    shmSizeBytes?: number;
    ulimits: { Name: string; Soft: number; Hard: number }[];
    resources: Record<string, number | string>;
    cgroupParent?: string;
    onOutput: (chunk: { stream: 1 | 2; data: Buffer }) => void;
    signal: AbortSignal;
  }): Promise<number>;
}
/** Where a build's context comes from; read at most once. */
export type ContextSource = Readable;
