import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDockerfile } from './check.ts';

const check = (text: string, options?: string) =>
  checkDockerfile(text, {
    options,
    platformArgs: new Map([['TARGETPLATFORM', 'linux/amd64']]),
    environmentOf: (base) => (base === 'withenv' ? ['FROM_BASE'] : []),
    isReference: (reference) => /^[a-z]+(?::[a-z]+)?$/.test(reference),
    isIgnored: (path) => path === 'secret.txt',
  });
const told = (text: string, options?: string): string[] =>
  check(text, options).warnings.map(({ rule, start, detail }) => `${start} ${rule}: ${detail}`);

/** Words and lines as buildx 0.29 shows them with dockerd 28.5. */
test('what is seldom meant is warned of', () => {
  const undefinedVar = (line: number, name: string, hint = '') =>
    `${line} UndefinedVar: Usage of undefined variable '$${name}'${hint}`;
  for (const [text, expected] of [
    [
      'FROM busybox as Build\nrun echo hi\nRUN cd /x \\\n\n  && true\n',
      [
        "1 StageNameCasing: Stage name 'Build' should be lowercase",
        "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
        "2 ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase)",
        '5 NoEmptyContinuation: Empty continuation line',
      ],
    ],
    [
      'FROM a AS scratch\nMAINTAINER me\nCMD one\nCMD ["two"]\nFROM b AS scratch\nSHELL ["x"]\nENTRYPOINT y\n',
      [
        '1 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
        '2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label',
        '3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
        '3 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
        '5 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
        '5 DuplicateStageName: Duplicate stage name "scratch", stage names should be unique',
      ],
    ],
    [
      'FROM a AS b\nWORKDIR rel\nWORKDIR /abs\nFROM b\nWORKDIR fine\n',
      ['2 WorkdirRelativePath: Relative workdir "rel" can have unexpected results if the base image changes'],
    ],
    [
      'FROM withenv\nARG A\nENV P=$PAHT Q=${NOTHING:-x} R=$A$FROM_BASE\nLABEL x $NOPE\nRUN $SHELL_ONLY\nUSER $P\n',
      [
        undefinedVar(3, 'PAHT', ' (did you mean $PATH?)'),
        undefinedVar(3, 'NOTHING'),
        undefinedVar(4, 'NOPE'),
        '4 LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
      ],
    ],
    [
      'FROM a\nARG PASSWORD API_TOKEN_PUBLIC monkey\nENV AWS_SECRET_ACCESS_KEY=x\n',
      [
        '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "PASSWORD")',
        '3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "AWS_SECRET_ACCESS_KEY")',
      ],
    ],
    [
      'ARG TAG\nFROM a:${TAG}\nFROM b$QQQQ\nFROM c:${TAG:-latest}\n',
      [
        '2 InvalidDefaultArgInFrom: Default value for ARG a:${TAG} results in empty or invalid base image name',
        "3 UndefinedArgInFrom: FROM argument 'QQQQ' is not declared",
      ],
    ],
    [
      'FROM --platform=linux/amd64 a\nFROM --platform=linux/amd64 a AS a-amd64\nFROM --platform=$TARGETPLATFORM a\n',
      [
        '1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"',
        '3 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
      ],
    ],
    [
      'FROM a\nEXPOSE 80/TCP 127.0.0.1:8080:80 $X\n',
      [
        "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:8080:80'",
        "2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
      ],
    ],
    ['FROM a\nRUN <<EOF\n\n  text\nEOF\nCMD ["x"]\n', []],
  ] as const)
    assert.deepEqual(told(text), expected, text);
});

test('rules are skipped, asked for and made errors by the directive or by its override', () => {
  const text = 'FROM a\nMAINTAINER x\nCMD y\n';
  assert.deepEqual(told(`# check=skip=all\n${text}`), []);
  assert.equal(told(`# check=skip=jsonargsrecommended,Other;error=true\n${text}`).length, 1);
  assert.equal(check(`# check=error=true\n${text}`).error, true);
  assert.equal(told(`# check=skip=all\n${text}`, 'skip=MaintainerDeprecated').length, 1);
  const described = 'ARG X\n# nothing about it\nFROM a AS b\n# V is good\nARG V=1\n';
  assert.deepEqual(told(described), []);
  assert.deepEqual(told(described, 'experimental=all'), [
    '3 InvalidDefinitionDescription: Comment for FROM should follow the format: `# b <description>`',
  ]);
  assert.throws(() => check(text, 'bar=1'), /failed to parse check options: invalid check option "bar"/);
});

test('copies of what .dockerignore leaves out are told when asked for', () => {
  const text = 'FROM a AS b\nCOPY other.txt secret.txt /x/\nADD secret.txt /y\nCOPY --from=b secret.txt /z\n';
  assert.deepEqual(told(text), []);
  assert.deepEqual(told(text, 'experimental=CopyIgnoredFile'), [
    '2 CopyIgnoredFile: Attempting to Copy file "secret.txt" that is excluded by .dockerignore',
    '3 CopyIgnoredFile: Attempting to Add file "secret.txt" that is excluded by .dockerignore',
  ]);
});

test('a rule has its page, a warning the lines of its instruction', () => {
  const [warning] = check('FROM a\nCMD x \\\n  y\n').warnings;
  assert.equal(warning?.url, 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/');
  assert.deepEqual([warning?.start, warning?.end], [2, 3]);
});
