import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manual } from './manual.ts';

test('the manual has a page for each command, with its flags, and an overview that names them', async () => {
  const pages = new Map((await manual()).map(({ file, text }) => [file, text]));
  assert.match(pages.get('gantry.1')!, /\\fBgantry run\\fR\n/);
  assert.match(pages.get('gantry.1')!, /\\fBgantry container ls\\fR\n/);
  assert.match(pages.get('gantry-run.1')!, /\.TP\n\\fB\\-p\\fR, \\fB\\-\\-publish\\fR \\fIlist\\fR\n/);
  for (const text of pages.values()) assert.match(text, /^\.TH ".*\n\.SH NAME\ngantry.* \\- .+\n\.SH SYNOPSIS\n/);
});

test('no line of text can be taken for a roff request', async () => {
  const requests = /^\.(TH|SH|TP|BR|nf|fi)\b/;
  for (const { file, text } of await manual())
    for (const line of text.split('\n').filter((one) => /^[.']/.test(one))) assert.match(line, requests, file);
});
