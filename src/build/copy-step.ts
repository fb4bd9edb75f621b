import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Owner } from '../archive/index.ts';
import { invalid } from '../common/index.ts';
import { IgnoreMatcher, type Instruction, substitute } from '../dockerfile/index.ts';
import { modeChangeOf, ownerOf } from './accounts.ts';
import { keyOf } from './cache.ts';
import { copyInto, MADE_MODE } from './copy.ts';
import { fetchFile, isHttpUrl, nameOfUrl } from './fetch.ts';
import { fetchGit, isGitUrl } from './git-source.ts';
import { makeLayer, withMounted } from './layer-step.ts';
import { standsAlone } from './link-check.ts';
import { chomped } from './run-step.ts';
import { madeSource, type Source, selectSources } from './sources.ts';
import type { FileStep, StageRun } from './stage-run.ts';
import { chainOf, createdWithout, type StageState } from './stage-state.ts';
import { treeDigest } from './tree-digest.ts';

type Copy = Extract<Instruction, { name: 'COPY' | 'ADD' }>;

/** Sources that are here for good: in the context, or made for this build. */
interface Local {
  source: Source;
  fetched: boolean;
}

export async function copyStep(stageRun: StageRun, instruction: Copy): Promise<FileStep> {
  const { run, state, stage, replace } = stageRun;
  const { name } = instruction;
  const patterns = instruction.sources.map(replace);
  const written = replace(instruction.destination);
  const destination = destinationOf(state.config.WorkingDir, written);
  const chown = instruction.chown === undefined ? undefined : replace(instruction.chown);
  const chmod = instruction.chmod === undefined ? '' : replace(instruction.chmod);
  const mode = chmod === '' ? undefined : modeChangeOf(chmod);
  const { exclude } = instruction;
  const other = instruction.from === undefined ? undefined : await run.stateOf(instruction.from, stage.index);
  const locals = [
    ...(other === undefined ? await localSources(stageRun, instruction, patterns) : []),
    ...(await heredocSources(stageRun, instruction)),
  ];
  const matcher = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude);
  const excluded = matcher === undefined ? undefined : (path: string) => matcher.excludes(path);

  const select = (root: string): Source[] =>
    patterns.flatMap((pattern) =>
      selectSources(pattern, { instruction: name, root, fromContext: false, deep: instruction.parents }),
    );
  const check = (count: number) => {
    if (count > 1 && !destination.endsWith('/'))
      throw invalid(
        `When using ${name} with more than one source file, the destination must be a directory and end with a /`,
      );
  };

  const digests = [];
  for (const { source } of locals)
    digests.push([source.kept, source.name, await run.localDigest(source.path, exclude)]);
  let content: string;
  if (other === undefined) {
    check(locals.length);
    content = keyOf(digests);
  } else {
    const checkAll = (count: number) => check(count + locals.length);
    const found = await otherDigest(stageRun, other, patterns, { select, check: checkAll, excluded, exclude });
    content = locals.length === 0 ? found : keyOf(found, digests);
  }

  const how = [mode, instruction.parents, exclude, instruction.unpack];
  const onState = <T>(use: (root: string) => T | Promise<T>): Promise<T> =>
    withMounted(run.parts, chainOf(state), async (root) => use(root));
  /** Names are those of the stage, also where the layer is made without it. */
  const ownerHere = async (root: string | undefined): Promise<Owner | undefined> => {
    if (chown === undefined) return undefined;
    return root === undefined ? onState((below) => ownerOf(below, chown)) : ownerOf(root, chown);
  };
  const linkKey = (): Promise<unknown[] | undefined> =>
    onState(async (root) => {
      const owner = await ownerHere(root);
      const sources = locals.map(({ source }) => source);
      if (other !== undefined)
        sources.push(...(await withMounted(run.parts, chainOf(other), async (from) => select(from))));
      const alone = standsAlone(root, {
        destination,
        sources,
        owner: owner ?? { uid: 0, gid: 0 },
        mode: typeof mode === 'number' ? mode & MADE_MODE : MADE_MODE,
        followsInside: name === 'ADD' || instruction.parents,
      });
      return alone ? [name, content, destination, owner, ...how] : undefined;
    });

  const kind = locals.length === 1 && locals[0]!.source.directory ? 'dir' : locals.length > 1 ? 'multi' : 'file';
  const description = `${name} ${kind}:${content} in ${written} `;
  return {
    key: [name, content, destination, chown, ...how],
    description,
    createdBy: createdWithout(state.config, description),
    config: state.config,
    container: false,
    ...(instruction.link ? { independentKey: () => linkKey() } : {}),
    perform: (id, { independent }) =>
      makeLayer(run, { id, parent: chainOf(state), independent }, async (root) => {
        const owner = await ownerHere(independent ? undefined : root);
        const scratch = await run.scratch();
        const unpack = (source: Source): boolean => {
          if (name !== 'ADD') return false;
          return instruction.unpack ?? locals.find((local) => local.source === source)?.fetched === false;
        };
        const request = {
          instruction: name,
          root,
          destination,
          mode,
          parents: instruction.parents,
          exclude,
          unpack,
          scratch,
          signal: run.signal,
        };
        if (other !== undefined)
          await withMounted(run.parts, chainOf(other), (from) =>
            copyInto({ ...request, owner, sources: select(from) }),
          );
        // Without --chown all is root's, but an archive's entries have owners of their own.
        if (locals.length > 0)
          await copyInto({
            ...request,
            owner: owner ?? { uid: 0, gid: 0 },
            unpackedOwner: owner,
            sources: locals.map(({ source }) => source),
          });
        return true;
      }),
  };
}

/** Files of a layer chain never change, so their digest is found once. */
async function otherDigest(
  { run }: StageRun,
  other: StageState,
  patterns: readonly string[],
  {
    select,
    check,
    excluded,
    exclude,
  }: {
    select: (root: string) => Source[];
    check: (count: number) => void;
    excluded: ((path: string) => boolean) | undefined;
    exclude: readonly string[];
  },
): Promise<string> {
  const key = keyOf('digest', chainOf(other), patterns, exclude);
  const known = run.cache.digest(key);
  if (known !== undefined) {
    const { count, content } = JSON.parse(known) as { count: number; content: string };
    check(count);
    return content;
  }
  return await withMounted(run.parts, chainOf(other), async (root) => {
    const sources = select(root);
    check(sources.length);
    const digests = [];
    for (const source of sources)
      digests.push([
        source.kept,
        source.name,
        await treeDigest(source.path, { ownerCounts: true, excluded, signal: run.signal }),
      ]);
    const content = keyOf(digests);
    run.cache.rememberDigest(key, JSON.stringify({ count: sources.length, content }));
    return content;
  });
}

/** Absolute; ends with `/` where it must be a directory. */
function destinationOf(workdir: string | undefined, text: string): string {
  const absolute = posix.resolve('/', workdir || '/', text);
  const isDirectory = /(?:^|\/)\.{0,2}$/.test(text);
  return isDirectory && absolute !== '/' ? `${absolute}/` : absolute;
}

async function localSources(stageRun: StageRun, instruction: Copy, patterns: readonly string[]): Promise<Local[]> {
  const { run, replace } = stageRun;
  const checksum = instruction.checksum === undefined ? '' : replace(instruction.checksum);
  if (checksum !== '' && patterns.length !== 1) throw invalid("checksum can't be specified for multiple sources");
  const found: Local[] = [];
  for (const pattern of patterns) {
    if (instruction.name === 'ADD' && (isGitUrl(pattern) || isHttpUrl(pattern)))
      found.push(await remoteSource(stageRun, instruction, pattern, checksum));
    else if (checksum !== '') throw invalid('checksum requires HTTP(S) or Git sources');
    else
      for (const source of selectSources(pattern, {
        instruction: instruction.name,
        root: run.context.root,
        fromContext: true,
        deep: instruction.parents,
      }))
        found.push({ source, fetched: false });
  }
  return found;
}

/** Here-documents are files of the instruction itself, wherever its other sources are. */
async function heredocSources({ run, lookup }: StageRun, instruction: Copy): Promise<Local[]> {
  const found: Local[] = [];
  for (const heredoc of instruction.heredocs) {
    const directory = await run.scratch();
    const text = heredoc.chomp ? chomped(heredoc) : heredoc.content;
    const path = join(directory, posix.basename(heredoc.name));
    await writeFile(path, heredoc.expand ? substitute(text, { lookup, rawQuotes: true }) : text, {
      mode: 0o644,
    });
    if (run.epoch !== undefined) await utimes(path, run.epoch, run.epoch);
    found.push({ source: madeSource(directory, posix.basename(heredoc.name)), fetched: true });
  }
  return found;
}

async function remoteSource({ run }: StageRun, instruction: Copy, url: string, checksum: string): Promise<Local> {
  const directory = await run.scratch();
  if (isGitUrl(url)) {
    const repository = join(directory, 'repository');
    await mkdir(repository);
    const path = await fetchGit(url, repository, {
      commit: checksum,
      keepGitDir: instruction.keepGitDir,
      signal: run.signal,
    });
    return { source: { path, name: '.', kept: '', directory: true }, fetched: true };
  }
  const name = nameOfUrl(url);
  if (checksum !== '' && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw invalid(`invalid checksum digest format: ${checksum}`);
  try {
    await fetchFile(run.parts.images, url, join(directory, name), { checksum, signal: run.signal });
  } catch (error) {
    if (run.signal.aborted) throw error;
    throw invalid(`ADD failed: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return { source: madeSource(directory, name), fetched: true };
}
