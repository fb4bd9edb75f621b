import type { Filters } from '../common/index.ts';
import { nowNs } from '../common/index.ts';
import type { EventMessage } from '../wire/index.ts';
import type { EventBus } from './types.ts';

/** As many past events as moby keeps (daemon/events). */
const KEPT = 256;
/** A reader that falls behind by more than this loses its stream, rather than the daemon its memory. */
const BACKLOG = 65_536;

/** Also tells how many streams are open. */
export function createEventBus(): EventBus & { listeners(): number } {
  const past: EventMessage[] = [];
  const readers = new Set<(event: EventMessage) => void>();
  return {
    listeners: () => readers.size,
    emit({ type, action, id, attributes }) {
      const ns = nowNs();
      const old = type === 'container' || type === 'image';
      const event: EventMessage = {
        ...(old ? { status: action, id, ...(attributes.image === undefined ? {} : { from: attributes.image }) } : {}),
        Type: type,
        Action: action,
        Actor: { ID: id, Attributes: attributes },
        scope: 'local',
        time: Number(ns / 1_000_000_000n),
        timeNano: Number(ns),
      };
      past.push(event);
      if (past.length > KEPT) past.shift();
      for (const reader of readers) reader(event);
    },
    async *stream({ sinceNs, untilNs, filters, signal }) {
      const queue: EventMessage[] = [];
      let wake = () => {};
      const reader = (event: EventMessage) => {
        if (queue.length < BACKLOG) queue.push(event);
        wake();
      };
      // An end without a beginning asks for all of the past too.
      if (sinceNs !== undefined || untilNs !== undefined)
        queue.push(...past.filter((event) => BigInt(event.timeNano) >= (sinceNs ?? 0n)));
      readers.add(reader);
      const stop = () => wake();
      signal.addEventListener('abort', stop);
      // Rounded up: a timer may fire a little early, and there is no second one.
      const waitMs = untilNs === undefined ? undefined : Math.max(0, Number((untilNs - nowNs()) / 1_000_000n) + 2);
      const timer = waitMs === undefined ? undefined : setTimeout(stop, Math.min(waitMs, 2 ** 31 - 1));
      try {
        for (;;) {
          for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
            if (untilNs !== undefined && BigInt(event.timeNano) > untilNs) return;
            if (matches(event, filters)) yield event;
          }
          if (signal.aborted || queue.length >= BACKLOG || (untilNs !== undefined && nowNs() >= untilNs)) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
        readers.delete(reader);
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

/** moby daemon/events/filter.go. */
function matches(event: EventMessage, filters: Filters): boolean {
  const { ID: id, Attributes: attributes } = event.Actor;
  const named = (key: string, type: EventMessage['Type']) => {
    if (!filters.has(key)) return true;
    if (event.Type !== type) return false;
    return filters.get(key).some((wanted) => id.startsWith(wanted) || (attributes.name ?? '').startsWith(wanted));
  };
  const image = () => {
    if (!filters.has('image')) return true;
    const names = [event.Type === 'image' ? id : '', attributes.name ?? '', attributes.image ?? ''].filter(
      (name) => name !== '',
    );
    return filters
      .get('image')
      .some((wanted) => names.some((name) => name === wanted || name.replace(/:[^/:]+$/, '') === wanted));
  };
  // A health event's action carries its status: `health_status: healthy`.
  const action =
    !filters.has('event') ||
    filters.get('event').some((wanted) => event.Action === wanted || event.Action.startsWith(`${wanted}:`));
  return (
    action &&
    filters.exact('type', event.Type) &&
    filters.exact('scope', event.scope) &&
    filters.labels(attributes) &&
    named('container', 'container') &&
    named('network', 'network') &&
    named('volume', 'volume') &&
    named('daemon', 'daemon') &&
    named('plugin', 'plugin') &&
    image()
  );
}
