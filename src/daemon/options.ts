/**
 * The daemon's options, declared once: each is a flag by dockerd's name and a key of daemon.json by Docker's name. What Gantry
 * does not do is listed too, so that it is refused by name rather than taken and dropped.
 */
export type OptionKind =
  | 'bool'
  | 'int'
  | 'string'
  /** Bytes: `64m`, or a number in daemon.json. */
  | 'bytes'
  | 'list'
  /** `k=v`, an object in daemon.json. */
  | 'map'
  /** Any JSON, checked by whoever reads it (settings.ts). */
  | 'json';

export interface OptionSpec {
  /** Long name; absent for what daemon.json alone has. */
  flag?: string;
  short?: string;
  /** In daemon.json; absent for what the command line alone has. */
  key?: string;
  kind: OptionKind;
  help: string;
  /** Shown by --help. */
  default?: string;
  /** Why it cannot be used; a value that says no (false, '', 0, an empty list) passes. */
  refused?: string;
}

const own = (flag: string, kind: OptionKind, help: string, rest: Partial<OptionSpec> = {}): OptionSpec => ({
  flag,
  key: flag,
  kind,
  help,
  ...rest,
});
const refused = (flag: string, kind: OptionKind, why: string, rest: Partial<OptionSpec> = {}): OptionSpec =>
  own(flag, kind, `Not supported: ${why}`, { refused: why, ...rest });

const NO_CONTAINERD = 'there is no containerd below this engine';
const NO_SWARM = 'there is no swarm mode';

export const DEFAULT_CONFIG_FILE = '/etc/gantry/daemon.json';
export const DEFAULT_HOST = 'unix:///run/gantry/gantry.sock';

export const OPTIONS: readonly OptionSpec[] = [
  own('add-runtime', 'list', 'Register an OCI runtime, name=path', { key: undefined }),
  { key: 'runtimes', kind: 'json', help: 'OCI runtimes by name: {"path", "runtimeArgs"}' },
  own('allow-direct-routing', 'bool', "Other machines reach published ports by the container's own address too"),
  {
    key: 'allow-nondistributable-artifacts',
    kind: 'list',
    help: 'Not supported: no layer is held back',
    refused: 'all layers are pushed',
  },
  { key: 'api-cors-header', kind: 'string', help: 'Not supported: Docker removed it', refused: 'Docker removed it' },
  refused('authorization-plugin', 'list', 'there are no authorization plugins', { key: 'authorization-plugins' }),
  own('bip', 'string', 'IPv4 address for the default bridge'),
  own('bip6', 'string', 'IPv6 address for the default bridge'),
  own('bridge', 'string', 'Attach containers to this network bridge; "none" for no default bridge', { short: 'b' }),
  { key: 'builder', kind: 'json', help: 'Build cache: {"gc": {"enabled", "defaultKeepStorage"}}' },
  refused('cdi-spec-dir', 'list', 'there are no CDI devices', { key: 'cdi-spec-dirs' }),
  own('cgroup-parent', 'string', 'Parent cgroup for all containers'),
  own('config-file', 'string', 'Daemon configuration file', { key: undefined, default: DEFAULT_CONFIG_FILE }),
  refused('containerd', 'string', NO_CONTAINERD),
  refused('containerd-namespace', 'string', NO_CONTAINERD),
  refused('containerd-plugins-namespace', 'string', NO_CONTAINERD),
  refused('cpu-rt-period', 'int', 'real-time scheduling is set for each container'),
  refused('cpu-rt-runtime', 'int', 'real-time scheduling is set for each container'),
  refused('cri-containerd', 'bool', NO_CONTAINERD, { key: undefined }),
  own('data-root', 'string', 'Root directory of persistent state', { default: '/var/lib/gantry' }),
  own('debug', 'bool', 'Debug mode: the log level is debug', { short: 'D' }),
  own('default-address-pool', 'list', 'Pools for networks, base=CIDR,size=N', { key: undefined }),
  { key: 'default-address-pools', kind: 'json', help: 'Pools for networks: [{"base", "size"}]' },
  own('default-cgroupns-mode', 'string', 'Cgroup namespace of containers: host or private'),
  own('default-gateway', 'string', 'IPv4 gateway of the default bridge'),
  own('default-gateway-v6', 'string', 'IPv6 gateway of the default bridge'),
  own('default-ipc-mode', 'string', 'IPC mode of containers: private or shareable', { default: 'private' }),
  own('default-network-opt', 'list', 'Options of new networks, driver=key=value', { key: undefined }),
  { key: 'default-network-opts', kind: 'json', help: 'Options of new networks: {driver: {key: value}}' },
  own('default-runtime', 'string', 'OCI runtime of containers; by default crun or runc, whichever works here'),
  own('default-shm-size', 'bytes', 'Size of /dev/shm', { default: '64MiB' }),
  own('default-ulimit', 'list', 'Ulimits of containers, name=soft:hard', { key: undefined }),
  { key: 'default-ulimits', kind: 'json', help: 'Ulimits of containers: {name: {"Name", "Soft", "Hard"}}' },
  own('dns', 'list', 'DNS server for containers'),
  own('dns-opt', 'list', 'DNS option for containers', { key: 'dns-opts' }),
  own('dns-search', 'list', 'DNS search domain for containers'),
  own('exec-opt', 'list', 'Runtime option; native.cgroupdriver=cgroupfs is the only one', { key: 'exec-opts' }),
  own('exec-root', 'string', 'Root directory of what a reboot clears', { default: '/run/gantry' }),
  own('experimental', 'bool', 'Say in the API that experimental features are on'),
  own('feature', 'map', 'Features; buildkit and containerd-snapshotter may only be false', { key: 'features' }),
  own('fixed-cidr', 'string', "IPv4 subnet for the default bridge's containers"),
  own('fixed-cidr-v6', 'string', "IPv6 subnet for the default bridge's containers"),
  {
    key: 'gc',
    kind: 'json',
    help: 'Clean-up of images: {"maxUsed", "minFree", "maxAge", "keepLabel", "interval"}',
  },
  own('group', 'string', 'Group of the Unix socket', { short: 'G', default: 'docker' }),
  own('help', 'bool', 'Print usage', { key: undefined }),
  own('host', 'list', 'Socket to listen on: unix://, tcp:// or fd://', {
    short: 'H',
    key: 'hosts',
    default: DEFAULT_HOST,
  }),
  own('host-gateway-ip', 'list', 'What host-gateway in --add-host means', { key: 'host-gateway-ips' }),
  { key: 'host-gateway-ip', kind: 'string', help: 'The older key for one host-gateway-ip' },
  own('http-proxy', 'string', 'HTTP proxy for the daemon itself', { key: undefined }),
  own('https-proxy', 'string', 'HTTPS proxy for the daemon itself', { key: undefined }),
  own('no-proxy', 'string', 'Hosts that need no proxy', { key: undefined }),
  { key: 'proxies', kind: 'json', help: '{"http-proxy", "https-proxy", "no-proxy"}' },
  own('icc', 'bool', 'Containers of the default bridge may talk to each other', { default: 'true' }),
  own('init', 'bool', 'Run an init in each container'),
  own('init-path', 'string', 'Path of that init'),
  own('insecure-registry', 'list', 'Registry without (trusted) TLS', { key: 'insecure-registries' }),
  own('insecure-tcp', 'bool', 'Allow tcp:// without --tlsverify: whoever reaches the port is root here'),
  own('ip', 'string', 'Host address for published ports', { default: '0.0.0.0' }),
  own('ip-forward', 'bool', 'Enable IP forwarding', { default: 'true' }),
  own('ip-forward-no-drop', 'bool', 'The policy of the FORWARD chain is never changed, with or without this'),
  own('ip-masq', 'bool', 'Masquerade the default bridge', { default: 'true' }),
  own('ip6tables', 'bool', 'Filter IPv6; must be as --iptables', { default: 'true' }),
  own('iptables', 'bool', 'Make nftables rules', { default: 'true' }),
  own('ipv6', 'bool', 'IPv6 on the default bridge'),
  own('label', 'list', 'Label of this daemon, key=value', { key: 'labels' }),
  own('live-restore', 'bool', 'Leave containers running when the daemon stops'),
  own('log-driver', 'string', "Driver of containers' logs", { default: 'json-file' }),
  own('log-format', 'string', 'Format of log lines: text or json', { default: 'text' }),
  own('log-level', 'string', 'debug, info, warn, error or fatal', { short: 'l', default: 'info' }),
  own('log-opt', 'map', 'Option of the log driver', { key: 'log-opts' }),
  own('max-concurrent-downloads', 'int', 'Layers downloaded at the same time', { default: '3' }),
  own('max-concurrent-uploads', 'int', 'Layers uploaded at the same time', { default: '5' }),
  own('max-download-attempts', 'int', 'Tries for each download', { default: '5' }),
  refused('metrics-addr', 'string', 'there is no metrics endpoint'),
  own('mtu', 'int', 'MTU of the default bridge', { default: '1500' }),
  refused('network-control-plane-mtu', 'int', NO_SWARM),
  own('no-new-privileges', 'bool', 'Set no-new-privileges for containers'),
  refused('node-generic-resource', 'list', NO_SWARM, { key: 'node-generic-resources' }),
  own('pidfile', 'string', 'File for the process id', { short: 'p', default: '/run/gantry/gantryd.pid' }),
  own('plugin-dir', 'list', "Where volume plugins' sockets and specs are", {
    key: 'plugin-dirs',
    default: '/run/docker/plugins, /etc/docker/plugins, /usr/lib/docker/plugins',
  }),
  own('raw-logs', 'bool', 'Log lines never have colours, with or without this'),
  own('registry-mirror', 'list', 'Mirror of the Docker Hub', { key: 'registry-mirrors' }),
  own('respect-host-firewall', 'bool', "Published ports pass the host's input rules"),
  refused('rootless', 'bool', 'the daemon runs as root'),
  own('seccomp-profile', 'string', 'Seccomp profile of containers: builtin, unconfined or a file', {
    default: 'builtin',
  }),
  refused('selinux-enabled', 'bool', 'there is no SELinux labelling'),
  own('shutdown-timeout', 'int', 'Seconds for containers to end when the daemon stops', { default: '15' }),
  own('storage-driver', 'string', 'overlay2 is the only one', { short: 's', default: 'overlay2' }),
  refused('storage-opt', 'list', 'overlayfs has no options here', { key: 'storage-opts' }),
  refused('swarm-default-advertise-addr', 'string', NO_SWARM),
  own('tls', 'bool', 'Use TLS; implied by --tlsverify'),
  own('tlscacert', 'string', 'CA that clients must be signed by'),
  own('tlscert', 'string', "The server's certificate"),
  own('tlskey', 'string', "The server's key"),
  own('tlsverify', 'bool', 'Use TLS and verify clients'),
  own('userland-proxy', 'bool', 'Published ports are relayed where rules cannot lead, with or without this', {
    default: 'true',
  }),
  refused('userland-proxy-path', 'string', 'there is no proxy program'),
  refused('userns-remap', 'string', "containers share the host's user namespace"),
  own('validate', 'bool', 'Validate the configuration and exit', { key: undefined }),
  own('version', 'bool', 'Print version information and quit', { short: 'v', key: undefined }),
];

/** A value by option: `name` is the key of daemon.json where there is one, else the flag's. */
export type OptionValue = unknown;
export const nameOf = (spec: OptionSpec): string => spec.key ?? spec.flag ?? '';
