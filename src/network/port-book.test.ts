import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ephemeralRange } from './host-ports.ts';
import { PortBook } from './port-book.ts';
import type { PortWish } from './ports.ts';

const wish = (containerPort: number, first: number, last = first): PortWish => ({
  key: `${containerPort}/tcp`,
  proto: 'tcp',
  containerPort,
  // An address of this test's own, so that nothing else on the machine has its ports.
  hostIps: ['127.93.17.5'],
  first,
  last,
});

test('a port that is named is not given to who takes any, wherever it stands in the list', () => {
  const book = new PortBook();
  const [first] = ephemeralRange();
  try {
    const { grants } = book.allocate(
      'c',
      [wish(80, 0), wish(81, 0), wish(82, first, first + 5), wish(8080, first), wish(8081, first + 2)],
      { heldElsewhere: () => false, targetIp: '172.17.0.2' },
    );
    assert.deepEqual(
      grants.map(({ containerPort, hostPort }) => [containerPort, hostPort]),
      [
        [80, first + 3],
        [81, first + 4],
        [82, first + 1],
        [8080, first],
        [8081, first + 2],
      ],
    );
  } finally {
    book.close();
  }
});
