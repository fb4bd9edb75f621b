import { conformance } from '../conformance/check.ts';
import { copies } from '../conformance/copies.ts';

conformance('copies', copies);
