import { lex, show, type Token } from './lex.ts';
import { quote, unquote } from './quote.ts';
import {
  type Command,
  type Functions,
  type Node,
  type Operand,
  type Pipe,
  type Template,
  TemplateError,
} from './types.ts';

/** Parses a template; `functions` names all that it may call. Throws TemplateError with Go's message. */
export function parseTemplate(
  name: string,
  source: string,
  functions: Functions,
  options: { missingKeyIsError?: boolean } = {},
): Template {
  const parser = new Parser(name, source, functions);
  const root = parser.parse();
  return {
    name,
    source,
    root,
    defined: parser.defined,
    functions,
    missingKeyIsError: options.missingKeyIsError ?? false,
  };
}

class Parser {
  readonly defined = new Map<string, Node[]>();
  private readonly tokens: Token[];
  private readonly name: string;
  private readonly source: string;
  private readonly functions: Functions;
  private at = 0;
  private variables: string[] = ['$'];
  private rangeDepth = 0;

  constructor(name: string, source: string, functions: Functions) {
    this.name = name;
    this.source = source;
    this.functions = functions;
    this.tokens = [...lex(source)];
  }

  parse(): Node[] {
    const { nodes, end } = this.list(true);
    if (end !== 'eof') this.fail(`unexpected {{${end}}}`);
    return nodes;
  }

  private fail(message: string, token: Token = this.tokens[Math.max(0, this.at - 1)]!): never {
    const line = this.source.slice(0, token.pos).split('\n').length;
    throw new TemplateError(`template: ${this.name}:${line}: ${message}`);
  }
  private unexpected(token: Token, context: string): never {
    if (token.kind === 'error') this.fail(token.text, token);
    this.fail(`unexpected ${show(token)} in ${context}`, token);
  }
  private peek(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]!;
  }
  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }
  private nextSolid(): Token {
    let token = this.next();
    while (token.kind === 'space') token = this.next();
    return token;
  }
  private peekSolid(): Token {
    while (this.peek().kind === 'space') this.at++;
    return this.peek();
  }
  private expect(kind: Token['kind'], context: string): Token {
    const token = this.nextSolid();
    if (token.kind !== kind) this.unexpected(token, context);
    return token;
  }

  /** Nodes up to an `end` or `else`, whose word is returned. */
  private list(top = false): { nodes: Node[]; end: 'end' | 'else' | 'eof' } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.nextSolid();
      if (token.kind === 'eof') {
        if (!top) this.fail('unexpected EOF', token);
        return { nodes, end: 'eof' };
      }
      if (token.kind === 'text') nodes.push({ kind: 'text', text: token.text });
      else if (token.kind === 'open') {
        const word = this.peekSolid();
        if (word.kind === 'keyword' && (word.text === 'end' || word.text === 'else')) {
          this.nextSolid();
          if (word.text === 'end') this.expect('close', 'end');
          return { nodes, end: word.text };
        }
        const node = this.action();
        if (node) nodes.push(node);
      } else this.unexpected(token, 'input');
    }
  }

  private action(): Node | undefined {
    const token = this.peekSolid();
    if (token.kind !== 'keyword') {
      const pipe = this.pipeline('command', 'close');
      return { kind: 'action', pipe };
    }
    this.nextSolid();
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.control(token.text);
      case 'break':
      case 'continue':
        this.expect('close', `{{${token.text}}}`);
        if (this.rangeDepth === 0) this.fail(`{{${token.text}}} outside {{range}}`, token);
        return { kind: token.text };
      case 'template': {
        const { name, pos } = this.templateName('template clause');
        const more = this.peekSolid();
        if (more.kind === 'close') {
          this.nextSolid();
          return { kind: 'template', name, pos, text: `{{template ${quote(name)}}}` };
        }
        const pipe = this.pipeline('template clause', 'close');
        return { kind: 'template', name, pipe, pos, text: `{{template ${quote(name)} ${pipe.text}}}` };
      }
      case 'block': {
        const { name, pos } = this.templateName('block clause');
        const pipe = this.pipeline('block clause', 'close');
        this.define(name);
        return { kind: 'template', name, pipe, pos, text: `{{template ${quote(name)} ${pipe.text}}}` };
      }
      case 'define': {
        const { name } = this.templateName('define clause');
        this.expect('close', 'define clause');
        this.define(name);
        return undefined;
      }
      default:
        this.unexpected(token, 'command');
    }
  }
  private templateName(context: string): { name: string; pos: number } {
    const token = this.nextSolid();
    if (token.kind !== 'string' && token.kind !== 'rawString') this.unexpected(token, context);
    return { name: token.kind === 'string' ? unquote(token.text) : token.text.slice(1, -1), pos: token.pos };
  }
  private define(name: string): void {
    const saved = this.variables;
    this.variables = ['$'];
    const { nodes, end } = this.list();
    if (end !== 'end') this.fail(`unexpected {{${end}}} in define clause`);
    this.variables = saved;
    this.defined.set(name, nodes);
  }

  private control(kind: 'if' | 'with' | 'range'): Node {
    const scope = this.variables.length;
    const pipe = this.pipeline(kind, 'close');
    if (kind === 'range') this.rangeDepth++;
    const { nodes: body, end } = this.list();
    if (kind === 'range') this.rangeDepth--;
    let otherwise: Node[] = [];
    if (end === 'else') {
      const after = this.peekSolid();
      if (after.kind === 'keyword' && after.text === kind && kind !== 'range') {
        this.nextSolid();
        otherwise = [this.control(kind)];
      } else {
        this.expect('close', 'else');
        const rest = this.list();
        if (rest.end !== 'end') this.fail(`expected end; found {{${rest.end}}}`);
        otherwise = rest.nodes;
      }
    }
    this.variables.length = scope;
    return { kind, pipe, body, otherwise };
  }

  private pipeline(context: string, end: 'close' | ')'): Pipe {
    const first = this.peekSolid();
    const variables: string[] = [];
    let assign = false;
    const save = this.at;
    if (first.kind === 'variable') {
      this.nextSolid();
      const after = this.peekSolid();
      if (after.kind === 'declare' || after.kind === 'assign') {
        this.nextSolid();
        variables.push(first.text);
        assign = after.kind === 'assign';
      } else if (after.kind === 'comma' && context === 'range') {
        this.nextSolid();
        const second = this.nextSolid();
        if (second.kind !== 'variable') this.fail('range can only initialize variables');
        const mark = this.nextSolid();
        if (mark.kind !== 'declare' && mark.kind !== 'assign') this.unexpected(mark, 'range');
        variables.push(first.text, second.text);
        assign = mark.kind === 'assign';
      } else this.at = save;
    }
    if (assign) for (const name of variables) this.known(name);
    const commands: Command[] = [];
    for (;;) {
      const token = this.nextSolid();
      if (token.kind === end) {
        if (commands.length === 0) this.fail(`missing value for ${context}`, token);
        for (const [index, command] of commands.entries())
          if (index > 0 && ['literal', 'nil', 'dot'].includes(command.args[0]!.kind))
            this.fail(`non executable command in pipeline stage ${index + 1}`);
        if (!assign) this.variables.push(...variables);
        const mark = assign ? '=' : ':=';
        const prefix = variables.length ? `${variables.join(', ')} ${mark} ` : '';
        return {
          variables,
          assign,
          commands,
          pos: first.pos,
          text: prefix + commands.map(({ text }) => text).join(' | '),
        };
      }
      if (token.kind === 'pipe' && commands.length === 0) this.fail(`missing value for ${context}`, token);
      if (token.kind !== 'pipe' && !STARTS.has(token.kind)) this.unexpected(token, context);
      if (token.kind !== 'pipe') this.at--;
      else if (!STARTS.has(this.peekSolid().kind)) {
        const after = this.peekSolid();
        if (after.kind === end) this.fail(`missing value for ${context}`, after);
        this.unexpected(after, context);
      }
      commands.push(this.command());
    }
  }

  private command(): Command {
    const first = this.peekSolid();
    const args: Operand[] = [];
    for (;;) {
      this.peekSolid();
      const operand = this.operand();
      if (operand) args.push(operand);
      const token = this.next();
      if (token.kind === 'space') continue;
      if (token.kind === 'pipe' || token.kind === 'close' || token.kind === ')') {
        this.at--;
        break;
      }
      this.unexpected(token, 'operand');
    }
    if (args.length === 0) this.fail('empty command');
    return {
      args,
      pos: first.pos,
      text: args.map((arg) => (arg.kind === 'pipe' ? `(${arg.pipe.text})` : arg.text)).join(' '),
    };
  }

  private operand(): Operand | undefined {
    const base = this.term();
    if (!base || this.peek().kind !== 'field') return base;
    const pos = this.peek().pos;
    const path: string[] = [];
    while (this.peek().kind === 'field') path.push(this.next().text.slice(1));
    const text = `${base.kind === 'pipe' ? `(${base.pipe.text})` : base.text}.${path.join('.')}`;
    // As Go's parser does, a chain is placed where its second part stands.
    if (base.kind === 'field') return { kind: 'field', path: [...base.path, ...path], pos, text };
    if (base.kind === 'variable') return { ...base, path, pos, text };
    if (base.kind === 'literal' || base.kind === 'nil') this.fail(`unexpected . after term ${quote(base.text)}`);
    return { kind: 'chain', of: base, path, pos, text };
  }

  private term(): Operand | undefined {
    const token = this.next();
    const { pos, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!Object.hasOwn(this.functions, text)) this.fail(`function ${quote(text)} not defined`, token);
        return { kind: 'function', name: text, pos, text };
      case 'dot':
        return { kind: 'dot', pos, text };
      case 'nil':
        return { kind: 'nil', pos, text };
      case 'variable':
        this.known(text, token);
        return { kind: 'variable', name: text, path: [], pos, text };
      case 'field':
        return { kind: 'field', path: [text.slice(1)], pos, text };
      case 'bool':
        return { kind: 'literal', value: text === 'true', pos, text };
      case 'number':
        return { kind: 'literal', value: Number(text.replaceAll('_', '')), pos, text };
      case 'char':
        return { kind: 'literal', value: unquote(text).codePointAt(0) ?? 0, pos, text };
      case 'string':
        try {
          return { kind: 'literal', value: unquote(text), pos, text };
        } catch (error) {
          this.fail((error as Error).message, token);
        }
        break;
      case 'rawString':
        return { kind: 'literal', value: text.slice(1, -1), pos, text };
      case '(': {
        const pipe = this.pipeline('parenthesized pipeline', ')');
        return { kind: 'pipe', pipe, pos: pipe.pos, text: pipe.text };
      }
      default:
        this.at--;
        return undefined;
    }
  }
  private known(name: string, token?: Token): void {
    if (!this.variables.includes(name)) this.fail(`undefined variable ${quote(name)}`, token);
  }
}

const STARTS = new Set<Token['kind']>([
  'bool',
  'char',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  '(',
]);
