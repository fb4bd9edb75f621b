import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkEnvironment } from './link-environment.ts';

test('a link’s environment is Docker’s, with the lowest TCP port as the port', () => {
  assert.deepEqual(
    linkEnvironment({
      alias: 'my-db',
      parentName: '/web',
      address: '172.17.0.5',
      exposed: ['53/udp', '6379/tcp', '5432/tcp'],
      env: ['PATH=/bin', 'PASSWORD=x=y', 'EMPTY='],
    }),
    [
      'MY_DB_PORT=tcp://172.17.0.5:5432',
      'MY_DB_PORT_5432_TCP=tcp://172.17.0.5:5432',
      'MY_DB_PORT_5432_TCP_ADDR=172.17.0.5',
      'MY_DB_PORT_5432_TCP_PORT=5432',
      'MY_DB_PORT_5432_TCP_PROTO=tcp',
      'MY_DB_PORT_6379_TCP=tcp://172.17.0.5:6379',
      'MY_DB_PORT_6379_TCP_ADDR=172.17.0.5',
      'MY_DB_PORT_6379_TCP_PORT=6379',
      'MY_DB_PORT_6379_TCP_PROTO=tcp',
      'MY_DB_PORT_53_UDP=udp://172.17.0.5:53',
      'MY_DB_PORT_53_UDP_ADDR=172.17.0.5',
      'MY_DB_PORT_53_UDP_PORT=53',
      'MY_DB_PORT_53_UDP_PROTO=udp',
      'MY_DB_NAME=/web/my-db',
      'MY_DB_ENV_PASSWORD=x=y',
      'MY_DB_ENV_EMPTY=',
    ],
  );
});
