import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createFailure, execFailure } from './failure.ts';

const START =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';
const EXEC = 'OCI runtime exec failed: exec failed: unable to start container process: ';
const table: { text: string; command: string; words: string; code: 126 | 127 | 128 }[] = [
  {
    text: 'time="2026-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: exec: \\"nosuch\\": executable file not found in $PATH"\n',
    command: 'nosuch',
    words: 'exec: "nosuch": executable file not found in $PATH',
    code: 127,
  },
  {
    text: '{"level":"error","msg":"exec failed: unable to start container process: exec: \\"/no/x\\": stat /no/x: no such file or directory"}',
    command: '/no/x',
    words: 'exec: "/no/x": stat /no/x: no such file or directory',
    code: 127,
  },
  {
    text: '{"msg":"executable file `nosuch` not found in $PATH: No such file or directory","level":"error"}',
    command: 'nosuch',
    words: 'exec: "nosuch": executable file not found in $PATH',
    code: 127,
  },
  {
    text: '{"msg":"unable to start container process: exec: \\"/etc\\": is a directory: permission denied"}',
    command: '/etc',
    words: 'exec: "/etc": is a directory: permission denied',
    code: 126,
  },
  {
    text: '{"msg":"unable to start container process: exec: \\"/etc/passwd\\": permission denied"}',
    command: '/etc/passwd',
    words: 'exec: "/etc/passwd": permission denied',
    code: 126,
  },
  {
    text: '{"msg":"chdir `/none`: No such file or directory","level":"error"}',
    command: 'pwd',
    words: 'chdir to cwd ("/none") set in config.json failed: no such file or directory',
    code: 127,
  },
  {
    text: '{"msg":"open executable: Operation not permitted","level":"error"}',
    command: '/etc',
    words: 'exec: "/etc": permission denied',
    code: 126,
  },
  {
    text: '{"msg":"exec failed: unable to start container process: chdir to cwd (\\"/nodir\\") set in config.json failed: no such file or directory"}',
    command: 'true',
    words: 'chdir to cwd ("/nodir") set in config.json failed: no such file or directory',
    code: 127,
  },
];
for (const { text, command, words, code } of table)
  it(`says ${words}, exit code ${code}`, () => {
    const failure = createFailure(text, command);
    assert.equal(failure.message, START + words);
    assert.equal(failure.exitCode, code);
    assert.equal(execFailure(text, command).message, EXEC + words);
  });
