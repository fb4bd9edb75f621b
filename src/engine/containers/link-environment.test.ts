import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkEnvironment } from './link-environment.ts';

test('a link’s environment is Docker’s: the lowest TCP port as the port, and the ends of runs', () => {
  assert.deepEqual(
    linkEnvironment({
      path: '/web/my-db',
      address: '172.17.0.5',
      exposed: ['53/udp', '6379/tcp', '5432/tcp', '6380/tcp'],
      env: ['PATH=/bin', 'PASSWORD=x=y', 'EMPTY=', 'UNSET'],
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
      'MY_DB_PORT_6380_TCP=tcp://172.17.0.5:6380',
      'MY_DB_PORT_6380_TCP_ADDR=172.17.0.5',
      'MY_DB_PORT_6380_TCP_PORT=6380',
      'MY_DB_PORT_6380_TCP_PROTO=tcp',
      'MY_DB_PORT_53_UDP=udp://172.17.0.5:53',
      'MY_DB_PORT_53_UDP_ADDR=172.17.0.5',
      'MY_DB_PORT_53_UDP_PORT=53',
      'MY_DB_PORT_53_UDP_PROTO=udp',
      'MY_DB_PORT_6379_TCP_START=tcp://172.17.0.5:6379',
      'MY_DB_PORT_6379_TCP_PORT_START=6379',
      'MY_DB_PORT_6379_TCP_END=tcp://172.17.0.5:6380',
      'MY_DB_PORT_6379_TCP_PORT_END=6380',
      'MY_DB_NAME=/web/my-db',
      'MY_DB_ENV_PASSWORD=x=y',
      'MY_DB_ENV_EMPTY=',
    ],
  );
});
