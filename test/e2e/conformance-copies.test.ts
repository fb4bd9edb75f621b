import { conformance } from '../conformance/check.ts';
import { copies } from '../conformance/copies.ts';

conformance(
  'copies',
  copies,
  {
    'cp owners': {
      why: "Docker's documents promise that `cp -a` keeps owners; its command line does so only into a container",
      client: 'gantry',
      output: /^d 755 1234:5678 kept\/s$/m,
    },
  },
  ['cp out to links', 'cp -L in', 'cp owners', 'cp modes and kinds'],
);
