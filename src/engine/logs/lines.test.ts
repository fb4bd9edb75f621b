import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineParser, MESSAGE_BYTES, utcTime } from './lines.ts';

const T = '2026-01-02T03:04:05.000000001+00:00';
const texts = (parser: LineParser, log: string) =>
  parser.feed(Buffer.from(log)).map(({ stream, data }) => `${stream}:${data}`);

describe('a log parser', () => {
  it('gives whole lines with their stream and newline', () => {
    assert.deepEqual(texts(new LineParser(), `${T} stdout F a\n${T} stderr F b c\n${T} stdout F \n`), [
      '1:a\n',
      '2:b c\n',
      '1:\n',
    ]);
  });

  it('puts parts of a line together, apart for each stream', () => {
    const log = `${T} stdout P a\n${T} stderr P x\n${T} stdout F b\n${T} stderr F y\n`;
    assert.deepEqual(texts(new LineParser(), log), ['1:ab\n', '2:xy\n']);
  });

  it('keeps a line without an end until flushed', () => {
    const parser = new LineParser();
    assert.deepEqual(texts(parser, `${T} stdout P prompt> \n`), []);
    assert.deepEqual(
      parser.flush().map(({ data }) => String(data)),
      ['prompt> '],
    );
    assert.deepEqual(parser.flush(), []);
  });

  it('is indifferent to where chunks are cut', () => {
    const log = Buffer.from(`${T} stdout P a\n${T} stdout F b\n${T} stderr F ü\n`);
    const parser = new LineParser();
    const all = [...log].flatMap((byte) => parser.feed(Buffer.from([byte])));
    assert.deepEqual(
      all.map(({ data }) => String(data)),
      ['ab\n', 'ü\n'],
    );
  });

  it('cuts long lines into messages of 16 KiB with the time of the line', () => {
    const later = T.replace('05.', '06.');
    const part = 'x'.repeat(8192);
    const log = `${T} stdout P ${part}\n${later} stdout P ${part}\n${later} stdout P ${part}\n${later} stdout F end\n`;
    const messages = new LineParser().feed(Buffer.from(log));
    assert.deepEqual(
      messages.map(({ data, time }) => [data.length, time]),
      [
        [MESSAGE_BYTES, T],
        [8192 + 'end\n'.length, T],
      ],
    );
  });

  it('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0, 255, 254, 13, 128]);
    const log = Buffer.concat([Buffer.from(`${T} stdout F `), bytes, Buffer.from('\n')]);
    assert.deepEqual(new LineParser().feed(log)[0]?.data, Buffer.concat([bytes, Buffer.from('\n')]));
  });
});

it('times become UTC with nine digits, so that their texts are ordered as they are', () => {
  assert.equal(utcTime('2026-01-02T03:04:05.1+02:00'), '2026-01-02T01:04:05.100000000Z');
  assert.equal(utcTime('2026-01-02T03:04:05Z'), '2026-01-02T03:04:05.000000000Z');
});
