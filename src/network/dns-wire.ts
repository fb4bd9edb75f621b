/** DNS messages (RFC 1035, RFC 6891), as much as a stub server needs; no allocation but the answer. */
export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;
export const HEADER = 12;
const CLASS_IN = 1;
/** libnetwork's resolver: respTTL. */
const TTL_S = 600;
/** RFC 1035 2.3.4: a UDP message without EDNS. */
const PLAIN_UDP = 512;
/** What this server sends over UDP at most, whatever a client takes, and says so itself (RFC 6891 6.2.5). */
const EDNS_UDP = 4096;

export interface Question {
  id: number;
  /** Lower case, without the final dot. */
  name: string;
  type: number;
  class: number;
  opcode: number;
  /** Offset just behind the question. */
  end: number;
  /** UDP size the client takes; undefined without EDNS. */
  ednsSize: number | undefined;
}

/** Reads the one question of a query; undefined if the message is no query or is malformed. */
export function parseQuery(message: Buffer): Question | undefined {
  if (message.length < HEADER || (message[2]! & 0x80) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  let at = HEADER;
  let name = '';
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    name +=
      name === '' ? message.toString('latin1', at, at + length) : `.${message.toString('latin1', at, at + length)}`;
    at += length;
    if (name.length > 255) return undefined;
  }
  if (at + 4 > message.length) return undefined;
  const end = at + 4;
  return {
    id: message.readUInt16BE(0),
    name: name.toLowerCase(),
    type: message.readUInt16BE(at),
    class: message.readUInt16BE(at + 2),
    opcode: (message[2]! >> 3) & 15,
    end,
    ednsSize: ednsSize(message, end),
  };
}

/** The first additional record, if it is OPT and nothing stands before it, which is how every client sends it. */
function ednsSize(message: Buffer, end: number): number | undefined {
  if (message.readUInt16BE(6) !== 0 || message.readUInt16BE(8) !== 0 || message.readUInt16BE(10) === 0)
    return undefined;
  if (end + 11 > message.length || message[end] !== 0 || message.readUInt16BE(end + 1) !== TYPE.OPT) return undefined;
  return Math.min(EDNS_UDP, Math.max(PLAIN_UDP, message.readUInt16BE(end + 3)));
}

const OPT_ANSWER = Buffer.from([0, 0, TYPE.OPT, EDNS_UDP >> 8, EDNS_UDP & 255, 0, 0, 0, 0, 0, 0]);

function start(
  query: Buffer,
  question: Question,
  length: number,
  counts: { rcode: number; answers: number; truncated: boolean },
): Buffer {
  const edns = question.ednsSize !== undefined;
  const answer = Buffer.allocUnsafe(length + (edns ? OPT_ANSWER.length : 0));
  query.copy(answer, 0, 0, question.end);
  // Response; opcode, "recursion desired" and "checking disabled" as asked; recursion available.
  answer[2] = 0x80 | (query[2]! & 0x79) | (counts.truncated ? 2 : 0);
  answer[3] = 0x80 | (query[3]! & 0x10) | counts.rcode;
  answer.writeUInt16BE(1, 4);
  answer.writeUInt16BE(counts.answers, 6);
  answer.writeUInt16BE(0, 8);
  answer.writeUInt16BE(edns ? 1 : 0, 10);
  if (edns) OPT_ANSWER.copy(answer, length);
  return answer;
}

/** An answer without records. */
export const emptyAnswer = (query: Buffer, question: Question, rcode: number): Buffer =>
  start(query, question, question.end, { rcode, answers: 0, truncated: false });

/**
 * Records of one type for the asked name: each data is 4 or 16 bytes, or an encoded name. `turn` says which comes first.
 * Over UDP what does not fit is cut and marked, so that the client asks again over TCP.
 */
export function answerRecords(
  query: Buffer,
  question: Question,
  datas: readonly Buffer[],
  turn: number,
  udp: boolean,
): Buffer {
  const limit = udp
    ? (question.ednsSize ?? PLAIN_UDP) - (question.ednsSize === undefined ? 0 : OPT_ANSWER.length)
    : 65535;
  let fitting = 0;
  let length = question.end;
  while (fitting < datas.length) {
    const more = 12 + datas[(turn + fitting) % datas.length]!.length;
    if (length + more > limit) break;
    length += more;
    fitting++;
  }
  const answer = start(query, question, length, {
    rcode: RCODE.ok,
    answers: fitting,
    truncated: fitting < datas.length,
  });
  let at = question.end;
  for (let index = 0; index < fitting; index++) {
    const data = datas[(turn + index) % datas.length]!;
    // A pointer to the name in the question (RFC 1035 4.1.4).
    answer.writeUInt16BE(0xc000 | HEADER, at);
    answer.writeUInt16BE(question.type, at + 2);
    answer.writeUInt16BE(CLASS_IN, at + 4);
    answer.writeUInt32BE(TTL_S, at + 6);
    answer.writeUInt16BE(data.length, at + 10);
    data.copy(answer, at + 12);
    at += 12 + data.length;
  }
  return answer;
}

/** A refusal of what could not be read at all; undefined if not even an id is there, or it is itself an answer. */
export function formatError(message: Buffer): Buffer | undefined {
  if (message.length < HEADER || (message[2]! & 0x80) !== 0) return undefined;
  const answer = Buffer.alloc(HEADER);
  message.copy(answer, 0, 0, 2);
  answer[2] = 0x80 | (message[2]! & 0x79);
  answer[3] = RCODE.formatError;
  return answer;
}

/** A name in wire form, uncompressed. */
export function encodeName(name: string): Buffer {
  const parts = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...parts.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

/** True if `answer` answers exactly this question, whatever its id. */
export function answersQuestion(answer: Buffer, query: Buffer, question: Question): boolean {
  if (answer.length < HEADER || (answer[2]! & 0x80) === 0) return false;
  if (answer.readUInt16BE(4) === 0) return (answer[3]! & 15) !== RCODE.ok;
  if (answer.length < question.end) return false;
  const mine = query.toString('latin1', HEADER, question.end - 4).toLowerCase();
  const theirs = answer.toString('latin1', HEADER, question.end - 4).toLowerCase();
  return mine === theirs && answer.compare(query, question.end - 4, question.end, question.end - 4, question.end) === 0;
}
