import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { eventually, TestDaemon, tarOf } from '../support/index.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
});

type Files = Record<string, string>;

const context = (dockerfile: string, files: Files): Promise<Buffer> => tarOf({ Dockerfile: dockerfile, ...files });

interface Built {
  status: number;
  text: string;
  error: string | undefined;
  id: string;
  cached: number;
}

async function build(
  dockerfile: string,
  files: Files = {},
  query: Record<string, string | string[]> = {},
): Promise<Built> {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) for (const one of [value].flat()) search.append(key, one);
  const answer = await daemon.api('POST', `/build?${search}`, await context(dockerfile, files), {
    'content-type': 'application/x-tar',
  });
  if (answer.status !== 200) return { status: answer.status, text: '', error: answer.json.message, id: '', cached: 0 };
  const messages = answer.text
    .trim()
    .split('\r\n')
    .map((line) => JSON.parse(line));
  const text = messages.map((message) => message.stream ?? '').join('');
  const id = messages.findLast((message) => message.aux !== undefined)?.aux.ID ?? '';
  return { status: 200, text, error: messages.at(-1).error, id, cached: text.split('Using cache').length - 1 };
}

async function built(...args: Parameters<typeof build>): Promise<Built> {
  const result = await build(...args);
  assert.equal(result.error, undefined, result.text);
  return result;
}

const config = async (id: string) => (await daemon.api('GET', `/images/${id}/json`)).json.Config;
/** Output of a RUN that shows something: unique, so that no cache answers. */
const output = (result: Built): string => result.text.replace(/^(?:Step| --->|Successfully).*\n/gm, '');

test('RUN sees environment, arguments, directory and user; output is streamed', async () => {
  const result = await built(
    'FROM busybox\nARG A=1\nENV B="two words"\nWORKDIR /w/x\nUSER 1000:50\nRUN echo "[$A] [$B] $(pwd) $(id -u):$(id -g)"',
    {},
    { buildargs: '{"A":"9"}' },
  );
  assert.match(output(result), /\[9\] \[two words\] \/w\/x 1000:50/);
  assert.deepEqual((await config(result.id)).Env.at(-1), 'B=two words');
});

test('a failed command is told with its exit code, and nothing is left', async () => {
  const result = await build('FROM busybox\nRUN exit 3', {}, { t: 'never' });
  assert.equal(result.error, "The command '/bin/sh -c exit 3' returned a non-zero code: 3");
  assert.equal((await daemon.api('GET', '/images/never/json')).status, 404);
  assert.deepEqual(
    (await daemon.leaks()).filter((leak) => leak.includes('merged')),
    [],
  );
});

test('a second build takes everything from the cache and gives the same image', async () => {
  const dockerfile = 'FROM busybox\nRUN echo cached > /f\nCOPY a /a\nENV x=1\nCMD ["x"]';
  const first = await built(dockerfile, { a: '1' });
  const second = await built(dockerfile, { a: '1' });
  assert.equal(second.cached, 4);
  assert.equal(second.id, first.id);
  const changed = await built(dockerfile, { a: '2' });
  assert.equal(changed.cached, 1);
  assert.notEqual(changed.id, first.id);
  assert.equal((await built(dockerfile, { a: '1' }, { nocache: '1' })).cached, 0);
});

test('a step from the cache comes over what another build made again below it', async () => {
  const below = 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /below';
  const dockerfile = `${below}\nRUN echo above > /above`;
  const first = await built(dockerfile);
  const again = await built(below, {}, { nocache: '1' });
  assert.notEqual(again.id, first.id);
  for (const run of ['first', 'second']) {
    const result = await built(dockerfile);
    assert.equal(result.cached, 2, run);
    const layers = (await daemon.api('GET', `/images/${result.id}/json`)).json.RootFS.Layers;
    assert.equal(layers.at(-2), (await daemon.api('GET', `/images/${again.id}/json`)).json.RootFS.Layers.at(-1));
  }
  // Two at once share a step that stands on layers of their own.
  const both = `FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /own; sleep 0.1\nRUN sleep 1; echo shared > /shared`;
  await Promise.all([built(both, {}, { nocache: '1' }), built(`${both}\nLABEL a=b`, {}, { nocache: '1' })]);
});

test('a changed command runs those after it again', async () => {
  await built('FROM busybox\nRUN echo p\nRUN echo q');
  assert.equal((await built('FROM busybox\nRUN echo changed\nRUN echo q')).cached, 0);
});

test('COPY follows its rules for sources and destinations', async () => {
  const files = { home1: '1', home2: '2', 'd/e/f': 'f', 'a b': 'blank' };
  const result = await built(
    'FROM busybox\nWORKDIR /w\nCOPY hom* rel/\nCOPY d /d\nCOPY ["a b", "/q/"]\nCOPY --chown=1000:staff --chmod=640 home1 /owned\nRUN find /w /d /q /owned -type f | sort; stat -c "%u:%g %a %Y" /owned /d/e/f',
    files,
  );
  assert.match(
    output(result),
    /\/d\/e\/f\n\/owned\n\/q\/a b\n\/w\/rel\/home1\n\/w\/rel\/home2\n1000:50 640 1000000000\n0:0 644 1000000000\n/,
  );
});

test('COPY --chmod takes numbers and clauses; what is made for the destination takes the numbers', async () => {
  const result = await built(
    'FROM busybox\nCOPY --chmod=700 a /n/e/a\nCOPY --chmod=u=rwX,go=rX d /x/y\nCOPY --chmod=g+w a /g\nRUN stat -c "%n %a" /n /n/e /n/e/a /x /x/y /x/y/e /x/y/e/f /g',
    { a: '', 'd/e/f': '' },
  );
  assert.match(
    output(result),
    /\/n 700\n\/n\/e 700\n\/n\/e\/a 700\n\/x 755\n\/x\/y 755\n\/x\/y\/e 755\n\/x\/y\/e\/f 644\n\/g 664\n/,
  );
  assert.match((await build('FROM busybox\nCOPY --chmod=u+q a /', { a: '' })).error ?? '', /invalid chmod parameter/);
});

test('a COPY --link is not done again over another base, unless what is below makes a difference', async () => {
  const files = { a: 'linked' };
  const over = (before: string) =>
    built(`FROM busybox\n${before}\nCOPY --link --chown=daemon a /l/in/\nRUN cat /l/in/a && ls -ld /l`, files);
  assert.equal((await over('RUN touch /one')).cached, 0);
  const moved = await over('RUN touch /two && mkdir /l && chown daemon:daemon /l');
  assert.equal(moved.cached, 1);
  assert.match(output(moved), /linked/);
  const into = await built('FROM busybox\nRUN mkdir /in\nCOPY --link a /in\nRUN cat /in/a', files);
  assert.match(output(into), /linked/);
  const kept = await over('RUN mkdir -m 700 /l');
  assert.equal(kept.cached, 0);
  assert.match(output(kept), /drwx------/);
  const followed = await over('RUN mkdir /real && ln -s real /l');
  assert.match(output(followed), /\/l -> real/);
});

test('a volume that is not there is there for the commands, and goes again if nothing was put in it', async () => {
  const result = await built(
    'FROM busybox\nVOLUME /unused/a /used/b\nRUN ls -d /unused/a && echo kept > /used/b/f\nRUN cat /used/b/f\nFROM busybox\nCOPY --from=0 /*used /all/\nRUN find /all',
  );
  assert.match(output(result), /\nkept\n/);
  assert.match(output(result), /\/all\n\/all\/b\n\/all\/b\/f\n/);
});

test('a pattern may name nothing; a directory that WORKDIR makes is its user’s', async () => {
  const result = await built(
    'FROM busybox\nCOPY x* /none/\nUSER 7:8\nWORKDIR /w/x\nRUN stat -c %u:%g /w /w/x; ls /none 2>&1 || true',
  );
  assert.match(output(result), /7:8\n7:8\n.*No such file/s);
});

test('COPY refuses what is not in the context', async () => {
  for (const [line, error] of [
    ['COPY ../x /', 'COPY failed: forbidden path outside the build context: ../x ()'],
    [
      'COPY x /',
      'COPY failed: file not found in build context or excluded by .dockerignore: stat x: file does not exist',
    ],
    ['COPY a /etc/passwd/x', 'mkdir /etc/passwd: not a directory'],
    ['WORKDIR /etc/passwd', 'Cannot mkdir: /etc/passwd is not a directory'],
    [
      'COPY a b /f',
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    ],
    ['COPY --from=7 a /', 'invalid from flag value 7: index out of bounds'],
    [
      'COPY --chown=nobody9 a /',
      "unable to convert uid/gid chown string to host mapping: can't find uid for user nobody9: no such user: nobody9",
    ],
  ] as const)
    assert.equal((await build(`FROM busybox\n${line}`, { a: '', b: '' })).error, error);
});

test('a .dockerignore keeps files out, also the Dockerfile', async () => {
  const result = await built('FROM busybox\nCOPY . /c\nRUN cd /c && find . -type f | sort', {
    '.dockerignore': '# x\n**/*.tmp\n!keep.tmp\nDockerfile\n',
    'a.tmp': '',
    'd/b.tmp': '',
    'keep.tmp': '',
    'd/c': '',
  });
  assert.match(output(result), /\.\/\.dockerignore\n\.\/d\/c\n\.\/keep\.tmp\n/);
  assert.doesNotMatch(output(result), /Dockerfile/);
});

test('ADD unpacks a local archive, COPY does not', async () => {
  const inner = (await context('inside', {})).toString('latin1');
  const result = await built('FROM busybox\nADD x.tar /added/\nCOPY x.tar /copied/\nRUN find /added /copied -type f', {
    'x.tar': inner,
  });
  assert.match(output(result), /\/added\/Dockerfile\n\/copied\/x\.tar/);
});

test('stages: only what the target needs is run, and copies go between them', async () => {
  const dockerfile =
    'FROM busybox AS one\nRUN echo made > /made\nFROM busybox AS unused\nRUN exit 1\nFROM scratch AS last\nCOPY --from=one /made /\nCOPY --from=busybox /bin/busybox /b';
  const result = await built(dockerfile, {}, { target: 'last' });
  assert.match(result.text, /Step 1\/5/);
  assert.equal((await build(dockerfile, {}, { target: 'nope' })).error, 'target stage "nope" could not be found');
});

test('TARGETSTAGE is the target as it was asked for, or else the last stage’s name', async () => {
  const show = 'ARG TARGETSTAGE\nRUN echo "[$TARGETSTAGE]"';
  const file = (name: string) => `FROM busybox AS one\n${show}\nFROM one${name}\n${show}`;
  assert.match(output(await built(file(''))), /\[default\]\n[\s\S]*\[default\]/);
  assert.match(output(await built(file(' AS two'))), /\[two\]\n[\s\S]*\[two\]/);
  assert.match(output(await built(file(''), {}, { target: 'One' })), /\[One\]/);
});

test('independent stages run at the same time', async () => {
  // Each waits for the other's file in a shared cache directory: one after the other would never end.
  const wait = (own: string, other: string) =>
    `RUN --mount=type=cache,target=/c,id=meet touch /c/${own}; for i in $(seq 600); do [ -e /c/${other} ] && exit 0; sleep 0.1; done; exit 1`;
  await built(
    `FROM busybox AS a\n${wait('a', 'b')}\nFROM busybox AS b\n${wait('b', 'a')}\nFROM scratch\nCOPY --from=a /etc/passwd /a\nCOPY --from=b /etc/passwd /b`,
  );
});

test('RUN --mount shows context, stages and memory, and leaves no trace', async () => {
  const result = await built(
    'FROM busybox AS s\nRUN echo s > /s\nFROM busybox\nRUN --mount=target=/ctx --mount=from=s,target=/st --mount=type=tmpfs,target=/t cat /ctx/a /st/s && touch /t/x\nRUN ls -d /ctx /st /t || true',
    { a: 'text\n' },
  );
  assert.match(output(result), /text\ns\n/);
  assert.match(output(result), /\/ctx: No such file/);
});

test('ONBUILD is run in the image that builds on it', async () => {
  await built('FROM busybox\nONBUILD COPY a /from-trigger\nONBUILD RUN echo triggered', {}, { t: 'trigger' });
  const result = await built('FROM trigger\nRUN cat /from-trigger', { a: 'content\n' });
  assert.match(result.text, /# Executing 2 build triggers/);
  assert.match(output(result), /triggered\n[\s\S]*content/);
  assert.equal((await config(result.id)).OnBuild ?? null, null);
});

test('here-documents are scripts and files', async () => {
  const result = await built(
    'FROM busybox\nENV x=v\nRUN <<EOF\necho one\necho $x\nEOF\nCOPY <<EOF <<"RAW" /h/\nhas $x \\$x \\n\nEOF\nhas $x\nRAW\nRUN cat /h/EOF /h/RAW\nRUN 3<<FD cat <&3\nby number\nFD',
  );
  assert.match(output(result), /one\nv\n[\s\S]*has v \$x n\nhas \$x\n[\s\S]*by number\n/);
});

test('configuration instructions end in the image', async () => {
  const result = await built(
    'FROM busybox\nLABEL a=b "c d"=e\nEXPOSE 80 90-91/udp\nVOLUME /v ["x"]\nVOLUME ["/j"]\nSTOPSIGNAL SIGINT\nHEALTHCHECK --interval=5s --retries=2 CMD true\nSHELL ["/bin/sh", "-ec"]\nENTRYPOINT echo\nCMD echo $HOME',
    {},
    { labels: '{"from":"caller"}' },
  );
  const { Labels, ExposedPorts, Volumes, StopSignal, Healthcheck, Entrypoint, Cmd } = await config(result.id);
  assert.deepEqual(Labels, { a: 'b', 'c d': 'e', from: 'caller' });
  assert.deepEqual(Object.keys(ExposedPorts).sort(), ['80/tcp', '90/udp', '91/udp']);
  assert.ok('/v' in Volumes && '/j' in Volumes);
  assert.equal(StopSignal, 'SIGINT');
  assert.deepEqual(Healthcheck, { Test: ['CMD-SHELL', 'true'], Interval: 5_000_000_000, Retries: 2 });
  assert.deepEqual(
    [Entrypoint, Cmd],
    [
      ['/bin/sh', '-ec', 'echo'],
      ['/bin/sh', '-ec', 'echo $HOME'],
    ],
  );
});

test('labels of the caller are steps of their own, in order', async () => {
  const result = await built(
    'FROM busybox AS b\nFROM b\nRUN false',
    {},
    { target: 'b', labels: '{"z":"1","b":"2 3"}' },
  );
  assert.match(result.text, /Step 2\/3 : LABEL b=2 3\n[\s\S]*Step 3\/3 : LABEL z=1\n/);
  assert.deepEqual((await config(result.id)).Labels, { b: '2 3', z: '1' });
});

test('RUN sees extra hosts on any network', async () => {
  for (const networkmode of ['host', 'none', 'default']) {
    const dockerfile = `FROM busybox\nRUN echo ${networkmode}; grep added /etc/hosts; grep -c localhost /etc/hosts`;
    const result = await built(dockerfile, {}, { networkmode, extrahosts: '["added:10.1.2.3"]' });
    assert.match(output(result), /\n10\.1\.2\.3\tadded\n[1-9]/);
  }
});

test('ENTRYPOINT and CMD go together as the table says', async () => {
  const forms = { none: '', shell: 'p1', exec: '["p2"]' };
  const sh = (...words: string[]) => ['/bin/sh', '-c', ...words];
  const entries = { none: null, shell: sh('e1'), exec: ['e2'] };
  const commands = { none: null, shell: sh('p1'), exec: ['p2'] };
  for (const entry of ['none', 'shell', 'exec'] as const)
    for (const command of ['none', 'shell', 'exec'] as const) {
      if (entry === 'none' && command === 'none') continue;
      const lines = ['FROM busybox'];
      if (entry !== 'none') lines.push(`ENTRYPOINT ${forms[entry].replace('p', 'e')}`);
      if (command !== 'none') lines.push(`CMD ${forms[command]}`);
      const { Entrypoint = null, Cmd = null } = await config((await built(lines.join('\n'))).id);
      assert.deepEqual([Entrypoint, Cmd], [entries[entry], commands[command]], lines.join(' | '));
    }
});

test('the same input at the same epoch gives the same image, also without the cache', async () => {
  const query = { buildargs: '{"SOURCE_DATE_EPOCH":"1700000000"}', nocache: '1' };
  const dockerfile = 'FROM busybox\nRUN mkdir /d && echo x > /d/f\nCOPY a /e/f/a\nLABEL x=y';
  const first = await built(dockerfile, { a: '' }, query);
  assert.equal((await built(dockerfile, { a: '' }, query)).id, first.id);
});

test('several names, quiet output, and a Dockerfile elsewhere', async () => {
  const answer = await daemon.api(
    'POST',
    '/build?t=one:1&t=localhost:5000/two&q=1&dockerfile=d/My.file',
    await context('', { 'd/My.file': 'FROM busybox\nCMD x' }),
    {},
  );
  const id = JSON.parse(answer.text.trim()).stream.trim();
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  for (const name of ['one:1', 'localhost:5000/two:latest'])
    assert.equal((await daemon.api('GET', `/images/${name}/json`)).json.Id, id);
});

test('a request that makes no sense is refused before the stream', async () => {
  for (const [dockerfile, query, message] of [
    ['FROM busybox\nXYZZY', {}, 'dockerfile parse error on line 2: unknown instruction: XYZZY'],
    ['', {}, 'the Dockerfile (Dockerfile) cannot be empty'],
    ['FROM busybox', { dockerfile: 'nope' }, 'Cannot locate specified Dockerfile: nope'],
    ['FROM busybox', { buildargs: '{' }, 'error reading buildargs: invalid JSON'],
  ] as const) {
    const { status, error } = await build(dockerfile, {}, query);
    assert.deepEqual([status, error], [400, message]);
  }
});

test('a client that goes away ends its build, and nothing is left', async () => {
  const body = await context('FROM busybox\nRUN echo has_beg""un; sleep 1000', {});
  const call = request({
    socketPath: daemon.socket,
    method: 'POST',
    path: '/v1.51/build?t=gone',
    headers: { 'content-length': body.length },
  });
  call.on('error', () => {});
  const running = new Promise<void>((done) => {
    call.on('response', (answer) =>
      answer.on('data', (chunk: Buffer) => chunk.includes('has_begun') && done()).on('error', () => {}),
    );
  });
  call.end(body);
  await running;
  call.destroy();
  await eventually(
    'all of the build is gone',
    async () => (await daemon.leaks()).every((leak) => !/merged|process/.test(leak)),
    30_000,
  );
  assert.equal((await daemon.api('GET', '/images/gone/json')).status, 404);
});

test('the build cache is listed and pruned', async () => {
  await built('FROM busybox\nRUN echo listed > /listed');
  const rows = (await daemon.api('GET', '/system/df?type=build-cache')).json.BuildCache;
  assert.ok(
    rows.some((row: { Description: string; Size: number }) => row.Description.includes('echo listed') && row.Size > 0),
  );
  const { CachesDeleted } = (await daemon.api('POST', '/build/prune?all=1')).json;
  assert.equal(CachesDeleted.length, rows.length);
  assert.equal((await built('FROM busybox\nRUN echo listed > /listed')).cached, 0);
});

test('an image that cachefrom names is a cache, also of what changes only the configuration', async () => {
  const dockerfile = 'FROM busybox\nRUN echo hi >/x\nCOPY a /a\nENV A=b\nRUN cat /a';
  const first = await built(dockerfile, { a: '1' }, { t: 'cache-source' });
  await daemon.api('POST', '/build/prune?all=1');
  const query = { cachefrom: '["cache-source"]' };
  const again = await built(dockerfile, { a: '1' }, query);
  assert.deepEqual([again.cached, again.id], [4, first.id]);
  await daemon.api('POST', '/build/prune?all=1');
  assert.equal((await built(dockerfile, { a: '2' }, query)).cached, 1);
});
