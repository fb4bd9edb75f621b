import type { LiveRow } from './model.ts';

/** By what the live view's rows can be sorted; the first is how it begins. */
export const ORDERS = ['newest', 'cpu', 'memory', 'name'] as const;
export type Order = (typeof ORDERS)[number];

export const nextOrder = (order: Order): Order => ORDERS[(ORDERS.indexOf(order) + 1) % ORDERS.length]!;

const COMPARE: Readonly<Record<Order, (a: LiveRow, b: LiveRow) => number>> = {
  newest: (a, b) => b.container.Created - a.container.Created,
  cpu: (a, b) => (b.usage?.cpuPercent ?? -1) - (a.usage?.cpuPercent ?? -1),
  memory: (a, b) => (b.usage?.memory ?? -1) - (a.usage?.memory ?? -1),
  name: (a, b) => ((a.container.Names[0] ?? '') < (b.container.Names[0] ?? '') ? -1 : 1),
};

export const sorted = (rows: readonly LiveRow[], order: Order): LiveRow[] => rows.toSorted(COMPARE[order]);
