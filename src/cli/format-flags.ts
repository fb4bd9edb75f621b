import type { FlagSpec } from './spec.ts';

const TEMPLATE = `'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates`;
const TABLE = `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
${TEMPLATE}`;
const PLAIN = `Format output using a custom template:
'json':             Print in JSON format
${TEMPLATE}`;

/** `--format` of commands that print tables. */
export const TABLE_FORMAT: FlagSpec = { name: 'format', type: 'string', usage: TABLE };
/** `--format` of commands that print one thing. */
export const PLAIN_FORMAT: FlagSpec = { name: 'format', type: 'string', usage: PLAIN };
/** `-f, --format` of commands that inspect. */
export const INSPECT_FORMAT: FlagSpec = { name: 'format', short: 'f', type: 'string', usage: PLAIN };
