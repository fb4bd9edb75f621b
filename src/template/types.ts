/**
 * Go's text/template, as far as Docker's `--format` and `inspect -f` take it. A template is parsed once to a tree (`parseTemplate`)
 * and executed on many values. Values are what JSON gives, plus what Go has and JSON lacks:
 *
 * - a plain object is a map: a missing key is "no value", which prints `<no value>` (or is an error if so asked);
 * - an object with `typeName` is a struct or a pointer to one: a missing field is an error that names the type;
 * - a function is a method: it is called with the template's arguments;
 * - `undefined` is no value, `null` a nil interface, a `TypedNil` a nil slice, map or pointer.
 *
 * An integer-valued number counts as Go's int, any other as float64.
 */

/** The key under which a value carries the name of its Go type (`*formatter.ContainerContext`). */
export const typeName: unique symbol = Symbol('typeName');

/** A nil slice (prints `[]`), map (`map[]`) or pointer (`<nil>`); all are null in JSON and false in a condition. */
export class TypedNil {
  readonly kind: 'slice' | 'map' | 'pointer';
  readonly type: string;
  constructor(kind: TypedNil['kind'], type = '') {
    this.kind = kind;
    this.type = type;
  }
  toJSON(): null {
    return null;
  }
}

export type TemplateFunction = (...args: unknown[]) => unknown;
export type Functions = Readonly<Record<string, TemplateFunction>>;

export interface Position {
  /** Offset in the template's text, in UTF-16 units. */
  pos: number;
  /** What an error shows between `<` and `>`. */
  text: string;
}

export type Operand = Position &
  (
    | { kind: 'dot' }
    | { kind: 'nil' }
    | { kind: 'literal'; value: string | number | boolean }
    | { kind: 'field'; path: string[] }
    | { kind: 'variable'; name: string; path: string[] }
    | { kind: 'function'; name: string }
    | { kind: 'pipe'; pipe: Pipe }
    | { kind: 'chain'; of: Operand; path: string[] }
  );
export interface Command extends Position {
  args: Operand[];
}
export interface Pipe extends Position {
  variables: string[];
  assign: boolean;
  commands: Command[];
}
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | (Position & { kind: 'template'; name: string; pipe?: Pipe })
  | { kind: 'break' | 'continue' };

export interface Template {
  name: string;
  source: string;
  root: Node[];
  /** What `define` and `block` made, by name. */
  defined: ReadonlyMap<string, Node[]>;
  functions: Functions;
  /** As the option `missingkey=error`: a missing key of a map is an error. */
  missingKeyIsError: boolean;
}

/** A template that cannot be parsed or executed; the message is Go's, with line and column. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}
