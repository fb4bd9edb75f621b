import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substitute, substituteWords } from './index.ts';

const VALUES: Record<string, string> = { a: 'A b', empty: '', path: '/x/y.tar.gz' };
const lookup = (name: string) => VALUES[name];

test('a word is replaced as BuildKit does', () => {
  for (const [word, expected] of [
    ['$a', 'A b'],
    ['${a}c', 'A bc'],
    ['$unset', ''],
    ["'$a'", '$a'],
    ['"$a"', 'A b'],
    ['\\$a', '$a'],
    ['"\\$a"', '$a'],
    ['\\a', 'a'],
    ['"\\a"', '\\a'],
    ['a$', 'a$'],
    ['${unset:-z}', 'z'],
    ['${empty:-z}', 'z'],
    ['${empty-z}', ''],
    ['${unset-z}', 'z'],
    ['${a:+z}', 'z'],
    ['${empty:+z}', ''],
    ['${empty+z}', 'z'],
    ['${unset:-$a}', 'A b'],
    ['${unset:-${other:-x}}', 'x'],
    ['${a?no}', 'A b'],
    ['${path#*/}', 'x/y.tar.gz'],
    ['${path##*/}', 'y.tar.gz'],
    ['${path%.*}', '/x/y.tar'],
    ['${path%%.*}', '/x/y'],
    ['${path/x/q}', '/q/y.tar.gz'],
    ['${path//\\//_}', '_x_y.tar.gz'],
    ['${path/?/}', 'x/y.tar.gz'],
    ['${path//*/q}', 'q'],
    ['${path//\\*/q}', '/x/y.tar.gz'],
    ['${path#\\/x}', '/y.tar.gz'],
  ] as const)
    assert.equal(substitute(word, { lookup }), expected, word);
});

test('what cannot be replaced is told in the reference’s words', () => {
  for (const [word, message] of [
    ['${', `failed to process "\${": syntax error: missing '}'`],
    ['${a', 'failed to process "${a": unsupported modifier (\uFFFD) in substitution'],
    ['${a:}', `failed to process "\${a:}": syntax error: missing '}'`],
    ["${b:-'x}", `failed to process "\${b:-'x}": syntax error: missing '}'`],
    ['${a/x}', `failed to process "\${a/x}": syntax error: missing '/' in \${}`],
    ['${a#\\b}', `failed to process "\${a#\\\\b}": invalid pattern (\\b) in substitution: invalid escape 'b'`],
    ['${b?no}', 'failed to process "${b?no}": b: no'],
    ['${b:?}', 'failed to process "${b:?}": b: is not allowed to be unset'],
    ['"x', 'failed to process "\\"x": unexpected end of statement while looking for matching double-quote'],
    ["'x", `failed to process "'x": unexpected end of statement while looking for matching single-quote`],
    ['${a:#x}', 'failed to process "${a:#x}": unsupported modifier (:#) in substitution'],
  ] as const)
    assert.throws(() => substitute(word, { lookup }), { message }, word);
});

test('words are split at blanks outside quotes, those of values too', () => {
  for (const [word, expected] of [
    ['$a', ['A', 'b']],
    ['"$a"', ['A b']],
    ['x $unset y', ['x', 'y']],
    ["'a b' c", ['a b', 'c']],
    ['""', ['']],
  ] as const)
    assert.deepEqual(substituteWords(word, { lookup }), expected, word);
});

test('here-documents keep quotes', () => {
  assert.equal(substitute(`"$a" '\${a}' \\$a \\n`, { lookup, rawQuotes: true }), `"A b" 'A b' $a n`);
});
