import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandHelp, flagHelp } from './help.ts';
import { noArgs } from './spec.ts';
import { findEntry, namesOf, tree } from './tree.ts';

test('flags are listed by name and their texts wrapped under their own column', () => {
  const text = flagHelp(
    [
      { name: 'quiet', short: 'q', type: 'bool', usage: 'Only display container IDs' },
      {
        name: 'last',
        short: 'n',
        type: 'int',
        usage: 'Show n last created containers (includes all states) (default -1) and some more words to wrap',
      },
      { name: 'old', type: 'bool', usage: 'x', hidden: true },
    ],
    80,
  );
  assert.equal(
    text,
    '  -n, --last int   Show n last created containers (includes all states)\n                   (default -1) and some more words to wrap\n  -q, --quiet      Only display container IDs\n',
  );
});

test('help has usage, description, aliases and options in this order', () => {
  const spec = { use: '[OPTIONS]', examples: ['gantry ps -a'], flags: [], args: noArgs, run: async () => {} };
  assert.equal(
    commandHelp({ spec, short: 'List', names: ['container ls', 'ps'] }, 'gantry ps', 80),
    'Usage:  gantry ps [OPTIONS]\n\nList\n\nAliases:\n  gantry container ls, gantry ps\n\nExamples:\n  gantry ps -a\n',
  );
});

test('every command loads, has an example where it is offered, and no two flags share a name or a letter', async () => {
  const visit = async (entries: typeof tree): Promise<void> => {
    for (const entry of entries) {
      if (entry.load) {
        const { command } = await entry.load();
        if (!entry.hidden) assert.match(command.examples.join(), /^gantry |^source |^pass /, entry.name);
        const shorts = command.flags.flatMap((flag) => flag.short ?? []);
        assert.equal(new Set(shorts).size, shorts.length, `short flags of ${entry.name}`);
        const names = command.flags.map((flag) => flag.name);
        assert.equal(new Set(names).size, names.length, `flags of ${entry.name}`);
      }
      await visit(entry.children ?? []);
    }
  };
  await visit(tree);
});

test('a command is found by each of its names, which help lists together', () => {
  assert.equal(findEntry(['container', 'list']), findEntry(['container', 'ls']));
  for (const words of [['ps'], ['container', 'ps']])
    assert.deepEqual(namesOf(findEntry(words)!), ['container ls', 'container list', 'container ps', 'ps']);
  assert.deepEqual(namesOf(findEntry(['version'])!), ['version']);
});
