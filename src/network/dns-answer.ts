import { answerRecords, emptyAnswer, formatError, parseQuery, type Question, RCODE, TYPE } from './dns-wire.ts';
import type { Zones } from './dns-zones.ts';
import type { SandboxNames } from './names.ts';

/** What to do with a query: answer it here, ask upstream, or say nothing. */
export type Verdict = { answer: Buffer } | { forward: Question } | undefined;

const CLASS_IN = 1;
const CLASS_ANY = 255;

/** Decides about one query of a sandbox. Names of its networks are answered here, whatever type is asked; the rest goes upstream. */
export function decide(zones: Zones, sandbox: SandboxNames, query: Buffer, udp: boolean): Verdict {
  const question = parseQuery(query);
  if (question === undefined) {
    const refusal = formatError(query);
    return refusal === undefined ? undefined : { answer: refusal };
  }
  if (question.opcode !== 0) return { answer: emptyAnswer(query, question, RCODE.notImplemented) };
  if (question.class === CLASS_IN || question.class === CLASS_ANY) {
    if (question.type === TYPE.PTR) {
      const names = zones.findReverse(sandbox, question.name);
      if (names !== undefined) return { answer: answerRecords(query, question, names, 0, udp) };
    } else {
      const entry = zones.find(sandbox, question.name);
      if (entry !== undefined) {
        const datas = question.type === TYPE.A ? entry.ipv4 : question.type === TYPE.AAAA ? entry.ipv6 : [];
        if (datas.length === 0) return { answer: emptyAnswer(query, question, RCODE.ok) };
        const turn = datas.length === 1 ? 0 : entry.turn++ % datas.length;
        return { answer: answerRecords(query, question, datas, turn, udp) };
      }
    }
  }
  // An internal network has no way out, so neither has its name service.
  if (sandbox.internal) return { answer: emptyAnswer(query, question, RCODE.serverFailure) };
  return { forward: question };
}
