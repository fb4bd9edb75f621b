import { conformance } from '../conformance/check.ts';
import { volumes } from '../conformance/volumes.ts';

conformance('volumes', volumes);
