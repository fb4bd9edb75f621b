import type * as Ink from 'ink';
import type * as React from 'react';
import type { ReactElement } from 'react';
import type { Snapshot } from './model.ts';
import { nextOrder, ORDERS, type Order, sorted } from './order.ts';
import { liveTable, nameOf } from './table.ts';

/** What the keys do; the view only draws and asks. */
export interface LiveActions {
  snapshot(): Snapshot;
  subscribe(changed: () => void): () => void;
  select(id: string | undefined, withLogs: boolean): void;
  stop(id: string): void;
  restart(id: string): void;
  kill(id: string): void;
  /** Pauses it, or lets it go on. */
  pause(id: string): void;
  remove(id: string): void;
  /** Leaves the view for a shell in the container. */
  shell(id: string): void;
}

const HELP = 'q quit  ↑↓ select  e shell  l logs  s stop  r restart  k kill  p pause  d remove (stopped)  o order: ';

/** The view's component, made of the libraries that `gantry top` loads when it is called. */
export function createLiveView(
  ink: typeof Ink,
  react: typeof React,
): (props: { actions: LiveActions }) => ReactElement {
  const { Box, Text, useApp, useInput, useStdout } = ink;
  const { createElement: h, useEffect, useState } = react;
  return function LiveView({ actions }) {
    const { exit } = useApp();
    const { stdout } = useStdout();
    const [snapshot, setSnapshot] = useState(actions.snapshot());
    const [chosen, setChosen] = useState<string | undefined>(undefined);
    const [order, setOrder] = useState<Order>(ORDERS[0]);
    const [logs, setLogs] = useState(true);
    const [size, setSize] = useState({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
    useEffect(() => actions.subscribe(() => setSnapshot(actions.snapshot())), [actions]);
    useEffect(() => {
      const measure = (): void => setSize({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
      stdout.on('resize', measure);
      return () => {
        stdout.off('resize', measure);
      };
    }, [stdout]);
    const rows = sorted(snapshot.rows, order);
    // The choice stays with its container, wherever that moves to.
    const at = Math.max(
      0,
      rows.findIndex(({ container }) => container.Id === chosen),
    );
    const selected = rows[at]?.container;
    useEffect(() => setChosen(selected?.Id), [selected?.Id]);
    useEffect(() => actions.select(selected?.Id, logs), [actions, selected?.Id, logs]);
    const act = (letter: string, id: string): void => {
      if (letter === 's') actions.stop(id);
      else if (letter === 'r') actions.restart(id);
      else if (letter === 'k') actions.kill(id);
      else if (letter === 'p') actions.pause(id);
      else if (letter === 'd') actions.remove(id);
      else if (letter === 'e') {
        actions.shell(id);
        exit();
      }
    };
    const press = (letter: string): void => {
      if (letter === 'q') exit();
      else if (letter === 'l') setLogs((shown) => !shown);
      else if (letter === 'o') setOrder(nextOrder);
      else if (selected) act(letter, selected.Id);
    };
    useInput((input, key) => {
      if (key.escape) return exit();
      if (key.upArrow || key.downArrow)
        return setChosen(rows[at + (key.upArrow ? -1 : 1)]?.container.Id ?? selected?.Id);
      // Keys typed fast come together.
      for (const letter of input) press(letter);
    });
    const logRows = logs ? Math.max(3, Math.floor(size.rows / 3)) : 0;
    const listRows = Math.max(1, size.rows - logRows - 4 - (logs ? 1 : 0));
    const first = Math.max(0, at - listRows + 1);
    const table = liveTable(rows, size.columns - 1);
    const line = (text: string, props: object = {}, key?: string): ReactElement =>
      h(Text, { ...props, key, wrap: 'truncate-end' }, text || ' ');
    return h(
      Box,
      { flexDirection: 'column', height: size.rows - 1, width: size.columns },
      line(table.heading, { bold: true }),
      h(
        Box,
        { flexDirection: 'column', height: listRows },
        ...rows
          .slice(first, first + listRows)
          .map(({ container }, offset) =>
            line(
              table.lines[first + offset]!,
              { inverse: first + offset === at, dimColor: container.State !== 'running' },
              container.Id,
            ),
          ),
      ),
      logs
        ? line(`── logs of ${selected === undefined ? 'nothing' : nameOf(selected.Names)} `.padEnd(size.columns, '─'), {
            dimColor: true,
          })
        : null,
      logs
        ? h(
            Box,
            { flexDirection: 'column', height: logRows },
            ...snapshot.logs.slice(-logRows).map((text, key) => line(text, {}, String(key))),
          )
        : null,
      line(snapshot.message, { color: 'yellow' }),
      line(`${HELP}${order}`, { dimColor: true }),
    );
  };
}
