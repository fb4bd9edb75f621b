import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearerError, parseChallenges } from './challenge.ts';

test('challenges are read with their parameters, bearer before basic', () => {
  assert.deepEqual(
    parseChallenges('Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push"'),
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'https://auth.example/token', service: 'r', scope: 'repository:a/b:pull,push' },
      },
    ],
  );
  const both = parseChallenges('Basic realm="x, y", Bearer realm="https://t",service=s');
  assert.deepEqual(
    both.map(({ scheme }) => scheme),
    ['bearer', 'basic'],
  );
  assert.equal(both[1]?.parameters.realm, 'x, y');
  assert.deepEqual(parseChallenges('Negotiate'), []);
  assert.deepEqual(parseChallenges(undefined), []);
});

test('a token that is not enough is told apart from one that is not good', () => {
  assert.deepEqual(bearerError('Bearer realm="r",error="insufficient_scope"'), { code: 'DENIED', message: '' });
  assert.equal(bearerError('Bearer realm="r",error="invalid_token"')?.code, 'UNAUTHORIZED');
  assert.equal(bearerError('Bearer realm="r"'), undefined);
});
