import { conformance } from '../conformance/check.ts';
import { objects } from '../conformance/objects.ts';

conformance('objects', objects);
