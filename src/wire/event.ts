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
}
/** Where long work reports what it does. A call may throw if the client is gone. */
export type Progress = (message: ProgressMessage) => void;
