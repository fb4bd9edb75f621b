import type * as Ink from 'ink';
import type * as React from 'react';
import type { ReactElement } from 'react';
import { binarySize, size3 } from '../format/size.ts';
import { ellipsis } from '../format/text.ts';
import type { LiveRow, Snapshot } from './model.ts';

/** What the keys do; the view only draws and asks. */
export interface LiveActions {
  snapshot(): Snapshot;
  subscribe(changed: () => void): () => void;
  select(id: string | undefined, withLogs: boolean): void;
  stop(id: string): void;
  restart(id: string): void;
  kill(id: string): void;
  pause(id: string, paused: boolean): void;
  remove(id: string): void;
  /** Leaves the view for a shell in the container. */
  shell(id: string): void;
}

const HELP = '↑↓ select  l logs  s stop  r restart  k kill  p pause  e shell  d remove (stopped)  q quit';

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
    const [index, setIndex] = useState(0);
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
    const at = Math.min(index, Math.max(0, snapshot.rows.length - 1));
    const selected = snapshot.rows[at]?.container;
    useEffect(() => actions.select(selected?.Id, logs), [actions, selected?.Id, logs]);
    useInput((input, key) => {
      if (input === 'q' || key.escape) return exit();
      if (key.upArrow) return setIndex(Math.max(0, at - 1));
      if (key.downArrow) return setIndex(Math.min(snapshot.rows.length - 1, at + 1));
      if (input === 'l') return setLogs(!logs);
      if (!selected) return;
      const id = selected.Id;
      if (input === 's') actions.stop(id);
      else if (input === 'r') actions.restart(id);
      else if (input === 'k') actions.kill(id);
      else if (input === 'p') actions.pause(id, selected.State === 'paused');
      else if (input === 'd') actions.remove(id);
      else if (input === 'e') {
        actions.shell(id);
        exit();
      }
    });
    const logRows = logs ? Math.max(3, Math.floor(size.rows / 3)) : 0;
    const listRows = Math.max(1, size.rows - logRows - 4 - (logs ? 1 : 0));
    const first = Math.max(0, at - listRows + 1);
    const line = (text: string, props: object = {}, key?: string): ReactElement =>
      h(Text, { ...props, key, wrap: 'truncate-end' }, text || ' ');
    return h(
      Box,
      { flexDirection: 'column', height: size.rows - 1, width: size.columns },
      line(heading(size.columns), { bold: true }),
      h(
        Box,
        { flexDirection: 'column', height: listRows },
        ...snapshot.rows
          .slice(first, first + listRows)
          .map((row, offset) =>
            line(
              rowText(row, size.columns),
              { inverse: first + offset === at, dimColor: row.container.State !== 'running' },
              row.container.Id,
            ),
          ),
      ),
      logs
        ? line(`── logs of ${selected?.Names[0]?.replace(/^\//, '') ?? 'nothing'} `.padEnd(size.columns, '─'), {
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
      line(HELP, { dimColor: true }),
    );
  };
}

const columns = (width: number): [number, number, number] => {
  const name = Math.max(12, Math.min(28, Math.floor(width / 4)));
  const image = Math.max(8, Math.min(28, Math.floor(width / 5)));
  return [name, image, Math.max(10, Math.min(26, width - name - image - 52))];
};
function heading(width: number): string {
  const [name, image, status] = columns(width);
  return `${'NAME'.padEnd(name)} ${'IMAGE'.padEnd(image)} ${'STATUS'.padEnd(status)} ${'CPU'.padStart(7)} ${'MEMORY'.padStart(10)} ${'NET IN'.padStart(8)} ${'NET OUT'.padStart(8)} ${'PIDS'.padStart(5)}`;
}
function rowText({ container, usage }: LiveRow, width: number): string {
  const [name, image, status] = columns(width);
  const cell = (text: string, size: number): string => ellipsis(text, size).padEnd(size);
  const numbers = usage
    ? `${`${usage.cpuPercent.toFixed(1)}%`.padStart(7)} ${binarySize(usage.memory).padStart(10)} ${size3(usage.received).padStart(8)} ${size3(usage.sent).padStart(8)} ${String(usage.pids).padStart(5)}`
    : '';
  return `${cell(container.Names[0]?.replace(/^\//, '') ?? '', name)} ${cell(container.Image, image)} ${cell(container.Status, status)} ${numbers}`;
}
