import { withCaller } from './functions.ts';
import { quote } from './quote.ts';
import {
  type Command,
  type Node,
  type Operand,
  type Pipe,
  type Position,
  type Template,
  TemplateError,
  TypedNil,
} from './types.ts';
import { format, goType, isMap, sortedKeys, structName, truth } from './values.ts';

/** Runs a template on a value; the text it makes. Throws TemplateError with Go's message and place. */
export function execute(template: Template, data: unknown): string {
  const run = new Execution(template, template.name);
  run.variables.push({ name: '$', value: data });
  run.walk(template.root, data);
  return run.output;
}

/** What a template makes of a value up to its first error: Docker shows a table's heading so. */
export function executeSoFar(template: Template, data: unknown): string {
  const run = new Execution(template, template.name);
  run.variables.push({ name: '$', value: data });
  try {
    run.walk(template.root, data);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
  }
  return run.output;
}

const NONE = Symbol('no final value');
/** Calls of templates within templates, as Go bounds them. */
const MAX_DEPTH = 1000;

class Execution {
  output = '';
  variables: { name: string; value: unknown }[] = [];
  private readonly template: Template;
  private readonly name: string;
  private readonly depth: number;

  constructor(template: Template, name: string, depth = 0) {
    this.template = template;
    this.name = name;
    this.depth = depth;
  }

  private fail(at: Position, message: string): never {
    const before = this.template.source.slice(0, at.pos);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const shown = at.text.length > 20 ? `${at.text.slice(0, 20)}...` : at.text;
    throw new TemplateError(
      `template: ${this.template.name}:${line}:${column}: executing ${quote(this.name)} at <${shown}>: ${message}`,
    );
  }

  walk(nodes: readonly Node[], dot: unknown): 'break' | 'continue' | undefined {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.output += node.text;
          break;
        case 'action': {
          const value = this.pipe(node.pipe, dot);
          if (node.pipe.variables.length === 0)
            this.output += value === undefined || value === null ? '<no value>' : this.print(node.pipe, value);
          break;
        }
        case 'if':
        case 'with': {
          const mark = this.variables.length;
          const value = this.pipe(node.pipe, dot);
          const chosen = truth(value);
          const stop = this.walk(chosen ? node.body : node.otherwise, chosen && node.kind === 'with' ? value : dot);
          this.variables.length = mark;
          if (stop) return stop;
          break;
        }
        case 'range':
          this.range(node, dot);
          break;
        case 'template':
          this.callTemplate(node, dot);
          break;
        default:
          return node.kind;
      }
    }
    return undefined;
  }

  private print(at: Position, value: unknown): string {
    if (typeof value === 'function') this.fail(at, `can't print ${at.text} of type func()`);
    return format(value);
  }

  private callTemplate(node: Extract<Node, { kind: 'template' }>, dot: unknown): void {
    const body = this.template.defined.get(node.name);
    if (!body) this.fail(node, `template ${quote(node.name)} not defined`);
    if (this.depth >= MAX_DEPTH) this.fail(node, `exceeded maximum template depth (${MAX_DEPTH})`);
    const value = node.pipe ? this.pipe(node.pipe, dot) : undefined;
    const inner = new Execution(this.template, node.name, this.depth + 1);
    inner.variables.push({ name: '$', value });
    inner.walk(body, value);
    this.output += inner.output;
  }

  private range(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: unknown): void {
    const mark = this.variables.length;
    const value = this.pipe(node.pipe, dot, true);
    const [what] = node.pipe.commands.at(-1)!.args;
    const entries = this.entries(what ?? node.pipe, value);
    if (entries.length === 0) this.walk(node.otherwise, dot);
    for (const [key, item] of entries) {
      const [first, second] = node.pipe.variables;
      if (second !== undefined) {
        this.set(first!, key, node.pipe.assign);
        this.set(second, item, node.pipe.assign);
      } else if (first !== undefined) this.set(first, item, node.pipe.assign);
      const stop = this.walk(node.body, item);
      this.variables.length = mark;
      if (stop === 'break') break;
    }
    this.variables.length = mark;
  }
  private entries(at: Position, value: unknown): [unknown, unknown][] {
    if (value === undefined || value === null || value instanceof TypedNil) return [];
    if (Array.isArray(value)) return value.map((item, index) => [index, item]);
    if (typeof value === 'number' && Number.isInteger(value))
      return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
    if (isMap(value) && structName(value) === undefined) return sortedKeys(value).map((key) => [key, value[key]]);
    return this.fail(at, `range can't iterate over ${format(value)}`);
  }

  private set(name: string, value: unknown, assign: boolean): void {
    const old = assign ? this.variables.findLast((variable) => variable.name === name) : undefined;
    if (old) old.value = value;
    else this.variables.push({ name, value });
  }

  private pipe(pipe: Pipe, dot: unknown, isRange = false): unknown {
    let value: unknown = NONE;
    for (const command of pipe.commands) value = this.command(command, dot, value);
    if (!isRange) for (const name of pipe.variables) this.set(name, value, pipe.assign);
    return value;
  }

  private command(command: Command, dot: unknown, final: unknown): unknown {
    const [first, ...rest] = command.args as [Operand, ...Operand[]];
    switch (first.kind) {
      case 'function':
        return this.call(first, command, dot, final);
      case 'field':
        return this.path(first, dot, first.path, dot, rest, final);
      case 'variable': {
        const value = this.variables.findLast((variable) => variable.name === first.name)?.value;
        if (first.path.length > 0) return this.path(first, value, first.path, dot, rest, final);
        this.notCallable(first, rest, final);
        return value;
      }
      case 'chain':
        return this.path(first, this.operand(first.of, dot), first.path, dot, rest, final);
      case 'pipe':
        this.notCallable(first, rest, final);
        return this.pipe(first.pipe, dot);
      case 'nil':
        return this.fail(first, 'nil is not a command');
      default:
        this.notCallable(first, rest, final);
        return this.operand(first, dot);
    }
  }
  private notCallable(at: Position, rest: readonly Operand[], final: unknown): void {
    if (rest.length > 0 || final !== NONE) this.fail(at, `can't give argument to non-function ${at.text}`);
  }

  private call(at: Extract<Operand, { kind: 'function' }>, command: Command, dot: unknown, final: unknown): unknown {
    const rest = command.args.slice(1);
    const fn = this.template.functions[at.name]!;
    if (at.name === 'and' || at.name === 'or') {
      // The first argument that decides ends the evaluation.
      if (rest.length === 0 && final === NONE)
        this.fail(at, `wrong number of args for ${at.name}: want at least 1 got 0`);
      let value: unknown;
      for (const operand of rest) {
        value = this.operand(operand, dot);
        if (truth(value) === (at.name === 'or')) return value;
      }
      return final === NONE ? value : final;
    }
    const args = rest.map((operand) => this.operand(operand, dot));
    if (final !== NONE) args.push(final);
    return this.guard(command, at.name, () => fn(...args));
  }
  private guard(at: Position, name: string, call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      if (error instanceof TemplateError && error.message.startsWith('template: ')) throw error;
      return this.fail(at, withCaller(name, error instanceof Error ? error.message : String(error)));
    }
  }

  private operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'pipe':
        return this.pipe(operand.pipe, dot);
      default:
        return this.command({ args: [operand], pos: operand.pos, text: operand.text }, dot, NONE);
    }
  }

  private path(
    at: Operand,
    start: unknown,
    path: readonly string[],
    dot: unknown,
    rest: readonly Operand[],
    final: unknown,
  ): unknown {
    let value = start;
    for (const [index, name] of path.entries()) {
      const last = index === path.length - 1;
      value = this.field(at, value, name, last ? rest : [], dot, last ? final : NONE);
    }
    return value;
  }

  private field(
    at: Operand,
    receiver: unknown,
    name: string,
    rest: readonly Operand[],
    dot: unknown,
    final: unknown,
  ): unknown {
    if (receiver === undefined) {
      if (this.template.missingKeyIsError) this.fail(at, `nil data; no entry for key ${quote(name)}`);
      return undefined;
    }
    if (receiver === null) this.fail(at, `nil pointer evaluating interface {}.${name}`);
    if (receiver instanceof TypedNil && receiver.kind === 'map') return undefined;
    if (receiver instanceof TypedNil) this.fail(at, `nil pointer evaluating ${goType(receiver)}.${name}`);
    if (!isMap(receiver)) this.fail(at, `can't evaluate field ${name} in type ${goType(receiver)}`);
    const type = structName(receiver);
    // Only what the value itself has: a field that every object of ours has is none of Go's.
    const value = Object.hasOwn(receiver, name) && name !== 'toJSON' ? receiver[name] : undefined;
    if (typeof value === 'function') {
      const args = rest.map((operand) => this.operand(operand, dot));
      if (final !== NONE) args.push(final);
      if (args.length !== value.length)
        this.fail(at, `wrong number of args for ${name}: want ${value.length} got ${args.length}`);
      return this.guard(at, name, () => value.apply(receiver, args));
    }
    if (value === undefined) {
      if (type !== undefined) this.fail(at, `can't evaluate field ${name} in type ${type}`);
      if (this.template.missingKeyIsError) this.fail(at, `map has no entry for key ${quote(name)}`);
      return undefined;
    }
    if (rest.length > 0 || final !== NONE) this.fail(at, `${name} has arguments but cannot be invoked as function`);
    return value;
  }
}
