import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, unavailable } from '../common/index.ts';
import { findStat, resolveInRoot } from './root-path.ts';

/** `git://…`, `git@host:…`, `github.com/…`, `http(s)://….git`, each with `#ref:directory` (Docker's documentation, "Git repositories"). */
export const isGitUrl = (text: string): boolean =>
  /^(?:git:\/\/|git@|ssh:\/\/|github\.com\/)/.test(text) || /^https?:\/\/[^#]+\.git(?:#|$)/.test(text);

/** Fetches one commit of a repository into `directory` and answers the wanted directory inside. `commit`: it must be this one (a hash, may be cut short). */
export async function fetchGit(
  url: string,
  directory: string,
  options: { commit?: string; keepGitDir: boolean; signal: AbortSignal },
): Promise<string> {
  const { commit = '' } = options;
  if (!/^[0-9a-fA-F]*$/.test(commit)) throw invalid(`invalid checksum ${commit} for Git URL, expected hex commit hash`);
  const [address = '', fragment = ''] = url.split('#', 2);
  const [ref = '', subdirectory = ''] = fragment.split(':', 2);
  if (ref.startsWith('-') || address.startsWith('-')) throw invalid(`invalid git reference: ${url}`);
  const repository = address.startsWith('github.com/') ? `https://${address}` : address;
  const git = (...args: string[]) => run(['-C', directory, ...args], options.signal);
  await run(['init', '-q', directory], options.signal);
  await git('remote', 'add', 'origin', repository);
  try {
    await git('fetch', '-q', '--depth=1', 'origin', '--', ref === '' ? 'HEAD' : ref);
  } catch (error) {
    // Many servers give no commit by its hash alone: then everything is fetched.
    if (!/^[0-9a-f]{7,64}$/.test(ref)) throw error;
    await git('fetch', '-q', 'origin');
    await git('checkout', '-q', '--detach', ref);
    await checkCommit(directory, commit);
    return await chosen(directory, subdirectory, options.keepGitDir);
  }
  await git('checkout', '-q', '--detach', 'FETCH_HEAD');
  await checkCommit(directory, commit);
  await git('submodule', 'update', '-q', '--init', '--recursive', '--depth=1');
  return await chosen(directory, subdirectory, options.keepGitDir);
}

async function checkCommit(directory: string, commit: string): Promise<void> {
  const head = (await readFile(join(directory, '.git/HEAD'), 'utf8')).trim();
  if (!head.startsWith(commit.toLowerCase())) throw invalid(`expected checksum to match ${commit}, got ${head}`);
}

async function chosen(directory: string, subdirectory: string, keepGitDir: boolean): Promise<string> {
  if (!keepGitDir) await rm(join(directory, '.git'), { recursive: true, force: true });
  if (subdirectory === '') return directory;
  const path = resolveInRoot(directory, subdirectory);
  if (findStat(path)?.isDirectory() !== true)
    throw invalid(`error setting git context, no directory within git root: ${subdirectory}`);
  return path;
}

function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    // Never asks for a password: nobody is there to answer. Local file protocol is refused to submodules by git itself.
    const child = spawn('git', args, {
      signal,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4096);
    });
    child.on('error', (error) =>
      fail(signal.aborted ? error : unavailable(`git is needed for this build: ${error.message}`, error)),
    );
    child.on('close', (code) =>
      code === 0
        ? done()
        : fail(invalid(`unable to fetch the git repository: ${errors.trim() || `git ended with ${code}`}`)),
    );
  });
}
