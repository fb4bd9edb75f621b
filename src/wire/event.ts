export type EventType = 'builder' | 'container' | 'daemon' | 'image' | 'network' | 'plugin' | 'volume';

/** One event, as `GET /events` streams it. */
export interface EventMessage {
  /** Old fields, filled for container and image events only. */
  status?: string;
  id?: string;
  from?: string;
  Type: EventType;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local';
  /** Seconds since the epoch. */
  time: number;
  timeNano: number;
}

/** One line of a progress stream (moby's jsonmessage). */
export interface ProgressMessage {
  stream?: string;
  status?: string;
  id?: string;
  progress?: string;
  progressDetail?: { current?: number; total?: number; units?: string; start?: number; hidecounts?: boolean };
  error?: string;
  errorDetail?: { code?: number; message: string };
  aux?: unknown;
  /** Gantry's own, of a build asked for with `progress=steps`. */
  build?: BuildEvent;
}
/** What happened to a step of a build; steps of several stages run at the same time. */
export interface BuildEvent {
  /** Its number in the build. */
  step: number;
  /** `at`: milliseconds since the epoch. */
  begin?: { stage: string; total: number; text: string; at: number };
  cached?: true;
  output?: string;
  end?: { id: string; at: number };
}
/** What build checks say of a Dockerfile; the `Checks` of an `aux` message of a build asked for with `checks=tell|only`. */
export interface BuildChecks {
  filename: string;
  source: string;
  warnings: { rule: string; description: string; url: string; detail: string; start: number; end: number }[];
  /** Why it would not build, with the line where that is known. */
  error?: { message: string; line?: number };
}
/** Where long work reports what it does. A call may throw if the client is gone. */
export type Progress = (message: ProgressMessage) => void;
