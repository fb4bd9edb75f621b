import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuildBoard } from './board.ts';
import { cut, plainLine, widthOf } from './line-text.ts';

const wide = { columns: 60, rows: 24, colours: false };
const begin = (step: number, stage: string, text: string) => ({
  build: { step, begin: { stage, total: 4, text, at: 0 } },
});

function twoStages(): BuildBoard {
  const board = new BuildBoard(0);
  board.apply(begin(1, 'a', 'FROM x'), 0);
  board.apply({ build: { step: 1, cached: true } }, 0);
  board.apply({ build: { step: 1, end: { id: '', at: 0 } } }, 200);
  board.apply(begin(2, 'a', 'RUN one'), 200);
  board.apply(begin(3, 'b', 'RUN two'), 300);
  board.apply({ build: { step: 2, output: 'first\nsec' } }, 400);
  board.apply({ build: { step: 2, output: 'ond' } }, 400);
  return board;
}

test('steps that run at the same time are shown with their times and last lines', () => {
  assert.deepEqual(
    twoStages()
      .lines(1300, wide)
      .map((line) => line.replace(/ {3,}/, ' … ')),
    [
      '[+] Building 1.3s (1/4)',
      ' => CACHED [a 1/4] FROM x … 0.2s',
      ' => [a 2/4] RUN one … 1.1s',
      ' => => # first',
      ' => => # second',
      ' => [b 3/4] RUN two … 1.0s',
    ],
  );
});

test('no line is wider than the window, and no more are shown than it has', () => {
  for (const columns of [5, 20, 61])
    for (const rows of [2, 4, 30]) {
      const lines = twoStages().lines(1300, { columns, rows, colours: false });
      assert.ok(lines.length <= rows && lines.every((line) => widthOf(line) < columns), `${columns}x${rows}`);
    }
  assert.match(
    twoStages()
      .lines(1300, { ...wide, rows: 3 })
      .join('\n'),
    /RUN two/,
  );
});

test('a failed build marks what was running and gives its output', () => {
  const board = twoStages();
  assert.match(board.lines(1300, wide, 'failed').join('\n'), /=> ERROR \[a 2\/4\] RUN one/);
  assert.deepEqual(board.unfinished(), [{ name: '[a 2/4] RUN one', lines: ['first', 'second'] }]);
});

test('colours are asked for', () => {
  assert.doesNotMatch(twoStages().lines(1300, wide).join(''), /\u001b/);
  assert.match(
    twoStages()
      .lines(1300, { ...wide, colours: true })
      .join(''),
    /\u001b\[34m/,
  );
});

test('what a program writes cannot move the cursor', () => {
  assert.equal(plainLine('10%\r50%\r\u001b[31mred\u001b[0m\u001b[2A\tx\u0007'), 'red    x ');
  assert.equal(cut('日本語', 5), '日本');
});
