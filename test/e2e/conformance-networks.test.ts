import { conformance } from '../conformance/check.ts';
import { networks } from '../conformance/networks.ts';

conformance('networks', networks);
