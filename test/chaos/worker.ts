import type { TestDaemon } from '../support/index.ts';
import { after, type Kind, type State } from './model.ts';
import { ACTIONS, type Action, pick } from './plan.ts';

/** Prints a number every now and then, from nought: a hole or a double line shows in the log. */
const COUNTER = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done';
const SHORT = 'sleep 0.2; exit 3';

/** One container, known by the name of its kind, and what may be true of it. */
export interface Subject {
  kind: Kind;
  states: Set<State>;
  /** Asked for, not answered. */
  pending: Action | undefined;
}

type Answer = { status: number; text: string };

/** Asks for one thing after another until the daemon is gone; each answer must be one that the states so far allow. */
export async function work(
  daemon: TestDaemon,
  subject: Subject,
  random: () => number,
  fault: (text: string) => void,
): Promise<void> {
  const { kind } = subject;
  for (;;) {
    const action = pick(ACTIONS, random);
    subject.pending = action;
    let answer: Answer;
    try {
      answer = await ask(daemon, kind, action);
    } catch {
      // A refused or broken connection is the crash itself.
      return;
    }
    const next = after(kind, subject.states, action, answer.status);
    if (next.size === 0) {
      fault(
        `${action} of ${kind.name}, ${[...subject.states].join(' or ')}, answered ${answer.status}: ${answer.text.trim()}`,
      );
      return;
    }
    subject.states = next;
    subject.pending = undefined;
  }
}

async function ask(daemon: TestDaemon, kind: Kind, action: Action): Promise<Answer> {
  const { name } = kind;
  switch (action) {
    case 'create':
      return daemon.api('POST', `/containers/create?name=${name}`, {
        Image: 'busybox',
        Cmd: ['sh', '-c', kind.shortLived ? SHORT : COUNTER],
        StopSignal: 'SIGKILL',
        Volumes: { '/data': {} },
        HostConfig: { RestartPolicy: { Name: kind.policy }, AutoRemove: kind.autoRemove },
      });
    case 'exec': {
      const made = await daemon.api('POST', `/containers/${name}/exec`, { Cmd: ['true'], AttachStdout: true });
      return made.status === 201 ? daemon.api('POST', `/exec/${(made.json as { Id: string }).Id}/start`, {}) : made;
    }
    case 'rm':
      return daemon.api('DELETE', `/containers/${name}?force=1&v=1`);
    case 'stop':
    case 'restart':
      return daemon.api('POST', `/containers/${name}/${action}?t=1`);
    default:
      return daemon.api('POST', `/containers/${name}/${action}`);
  }
}
