export interface ExecOptions {
  id: string;
  execId: string;
  process: Record<string, unknown>;
  terminal: boolean;
  stdin: boolean;
  detach: boolean;
  /** The container's. */
  bundle: string;
  conmonPath: string;
  /** For output that the client has not yet taken. */
  spillDirectory: string;
  runtimePath: string;
  runtimeArgs: string[];
}

/** What both ways of an exec share: a folder of its own in the bundle, with the process's description. */
export interface ExecPlan extends ExecOptions {
  directory: string;
  processPath: string;
  /** For messages: the first word of the command. */
  command: string;
}
