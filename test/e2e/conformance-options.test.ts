import { conformance } from '../conformance/check.ts';
import { options } from '../conformance/options.ts';

conformance('options', options);
