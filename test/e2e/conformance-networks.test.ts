import { conformance } from '../conformance/check.ts';
import { networks } from '../conformance/networks.ts';

conformance('networks', networks, {
  'load garbage': { why: 'says what is wrong with the archive', output: /archive is damaged[\s\S]*exit 1$/ },
  'network overlay refused': {
    why: 'says what is offered instead',
    output: /use bridge, macvlan or ipvlan[\s\S]*exit 0$/,
  },
  'volume update refused': { why: 'gantry says that there is no cluster', output: /cluster[\s\S]*exit 1$/ },
  'unknown command': { why: 'gantry names the nearest command', output: /iamges[\s\S]*exit 1$/ },
});
