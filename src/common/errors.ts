/**
 * The closed set of errors. Every room throws these; `httpStatus` is the one place that maps them to HTTP
 * (Engine API v1.51, "Errors"), and the command line maps them to exit codes.
 */
export type ErrorKind =
  | 'invalid' // the request makes no sense
  | 'unauthorized' // credentials missing or refused
  | 'forbidden' // understood and refused by policy
  | 'not-found'
  | 'conflict' // the state of the thing does not allow it
  | 'not-modified' // already so: started twice, stopped twice
  | 'too-large'
  | 'unsupported' // a known thing that this engine does not do
  | 'unavailable' // a peer or the machine is not in a state to do it now
  | 'deadline'
  | 'cancelled' // the caller's AbortSignal fired
  | 'internal';

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  'too-large': 413,
  unsupported: 501,
  unavailable: 503,
  deadline: 504,
  cancelled: 499,
  internal: 500,
};

/** An error with a kind for programs and a message for people. */
export class EngineError extends Error {
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }
}

const make = (kind: ErrorKind) => (message: string, cause?: unknown) =>
  new EngineError(kind, message, cause === undefined ? undefined : { cause });

export const invalid = make('invalid');
export const unauthorized = make('unauthorized');
export const forbidden = make('forbidden');
export const notFound = make('not-found');
export const conflict = make('conflict');
export const notModified = make('not-modified');
export const tooLarge = make('too-large');
export const unsupported = make('unsupported');
export const unavailable = make('unavailable');
export const deadline = make('deadline');
export const cancelled = make('cancelled');
export const internal = make('internal');

/** The kind of any thrown value; abort errors count as cancelled, all else unknown as internal. */
export function kindOf(error: unknown): ErrorKind {
  if (error instanceof EngineError) return error.kind;
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled';
  return 'internal';
}

export const httpStatus = (error: unknown): number => STATUS[kindOf(error)];

export const isKind = (error: unknown, kind: ErrorKind): boolean => kindOf(error) === kind;

/** The message of any thrown value, for people. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** True for a Node system error with this code, e.g. `isErrno(e, 'ENOENT')`. */
export const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
