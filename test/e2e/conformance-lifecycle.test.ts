import { conformance } from '../conformance/check.ts';
import { lifecycle } from '../conformance/lifecycle.ts';

conformance('lifecycle', lifecycle);
