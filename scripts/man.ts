import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { manual } from '../src/cli/manual.ts';

/** Writes the manual, for `man -M dist/man gantry-run`. usage: man.ts [folder] */
const folder = `${process.argv[2] ?? 'dist/man'}/man1`;
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { file, text } of await manual()) writeFileSync(`${folder}/${file}`, text);
