import { conformance } from '../conformance/check.ts';
import { options } from '../conformance/options.ts';

conformance(
  'options',
  options,
  {
    'mount image': {
      why: 'image mounts are no experiment in Gantry: no warning',
      output: /^\/i\/bin\/busybox\nexit 0$/,
    },
    'command is a directory': { why: 'the words are the OCI runtime’s own', output: /exec: "\/etc": [\s\S]*exit 126$/ },
    'devices inside': {
      why: 'crun adds a link /dev/core to /proc/kcore, which is masked',
      output:
        /^total {3}0\n(lrwxrwxrwx root root \/proc\/kcore\n)?lrwxrwxrwx root root \/proc\/self\/fd\n[\s\S]*exit 0$/,
    },
    'mounts inside': {
      why: 'newer runtimes limit the masks’ size',
      output: /\/proc\/acpi tmpfs ro,relatime[\s\S]*exit 0$/,
    },
    'lxc-conf': { why: 'refused with its reason', output: /--lxc-conf[\s\S]*exit 125$/ },
    'seccomp file bad': {
      why: 'the words are the JSON parser’s',
      output: /compacting json for seccomp profile \(s\.json\) failed: [\s\S]*exit 125$/,
    },
  },
  ['sig-proxy', 'sig-proxy off'],
);
