import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answerRecords,
  answersQuestion,
  emptyAnswer,
  encodeName,
  formatError,
  parseQuery,
  RCODE,
  TYPE,
} from './dns-wire.ts';

function query(name: string, type: number, edns?: number): Buffer {
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, edns === undefined ? 0 : 1]);
  const opt = edns === undefined ? Buffer.alloc(0) : Buffer.from([0, 0, 41, edns >> 8, edns & 255, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, encodeName(name), Buffer.from([0, type, 0, 1]), opt]);
}

test('a query is read with its name in lower case and the size its sender takes', () => {
  const question = parseQuery(query('Web.Example', TYPE.AAAA, 1232))!;
  assert.deepEqual(
    [question.id, question.name, question.type, question.class, question.ednsSize],
    [0x1234, 'web.example', TYPE.AAAA, 1, 1232],
  );
  assert.equal(parseQuery(query('x', TYPE.A, 100))?.ednsSize, 512);
  assert.equal(parseQuery(query('x', TYPE.A))?.ednsSize, undefined);
});

test('whatever is cut short, points elsewhere or is an answer is no query, and nothing is thrown', () => {
  const good = query('web.example', TYPE.A, 1232);
  for (let length = 0; length < good.length - 11; length++)
    assert.equal(parseQuery(good.subarray(0, length)), undefined);
  const pointer = Buffer.from(good);
  pointer[12] = 0xc0;
  assert.equal(parseQuery(pointer), undefined);
  const answer = Buffer.from(good);
  answer[2]! |= 0x80;
  assert.equal(parseQuery(answer), undefined);
  assert.equal(formatError(answer), undefined);
  assert.equal(formatError(good.subarray(0, 11)), undefined);
  assert.equal(formatError(pointer)![3]! & 15, RCODE.formatError);
});

test('records are answered in turn, point to the question’s name, and repeat EDNS', () => {
  const message = query('web', TYPE.A, 4096);
  message[3]! |= 0x10;
  const question = parseQuery(message)!;
  const datas = [Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2])];
  const answer = answerRecords(message, question, datas, 1, true);
  assert.equal(answer.readUInt16BE(0), 0x1234);
  assert.equal(answer[2]! & 0x80, 0x80);
  // "Checking disabled" comes back as it was asked (RFC 4035 3.2.2).
  assert.equal(answer[3], 0x90);
  assert.deepEqual([answer.readUInt16BE(6), answer.readUInt16BE(10)], [2, 1]);
  assert.deepEqual([...answer.subarray(question.end + 12, question.end + 16)], [10, 0, 0, 2]);
  assert.equal(answer.length, question.end + 2 * 16 + 11);
  assert.ok(answersQuestion(answer, message, question));
});

test('what does not fit into a datagram is cut and marked; over TCP it is whole', () => {
  const message = query('web', TYPE.A);
  const question = parseQuery(message)!;
  const datas = Array.from({ length: 100 }, (_, index) => Buffer.from([10, 0, 0, index]));
  const cut = answerRecords(message, question, datas, 0, true);
  assert.ok(cut.length <= 512);
  assert.equal(cut[2]! & 2, 2);
  const whole = answerRecords(message, question, datas, 0, false);
  assert.equal(whole.readUInt16BE(6), 100);
  assert.equal(whole[2]! & 2, 0);
});

test('an answer to another question is not taken for one to this', () => {
  const message = query('web', TYPE.A);
  const question = parseQuery(message)!;
  const other = query('wep', TYPE.A);
  assert.ok(!answersQuestion(emptyAnswer(other, parseQuery(other)!, RCODE.ok), message, question));
  const wrongType = query('web', TYPE.AAAA);
  assert.ok(!answersQuestion(emptyAnswer(wrongType, parseQuery(wrongType)!, RCODE.ok), message, question));
  assert.ok(answersQuestion(emptyAnswer(query('WEB', TYPE.A), question, RCODE.nameError), message, question));
});
