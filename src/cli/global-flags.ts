import type { FlagSpec } from './spec.ts';

/** What `--log-level` takes. */
export const LOG_LEVELS: readonly string[] = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'];

/** Options before the command. */
export const globalFlags: readonly FlagSpec[] = [
  { name: 'config', type: 'string', usage: 'Location of client config files (default "~/.docker")' },
  {
    name: 'context',
    short: 'c',
    type: 'string',
    usage:
      'Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "gantry context use")',
  },
  { name: 'debug', short: 'D', type: 'bool', usage: 'Enable debug mode' },
  { name: 'host', short: 'H', type: 'list', usage: 'Daemon socket to connect to' },
  {
    name: 'log-level',
    short: 'l',
    type: 'string',
    usage: 'Set the logging level ("debug", "info", "warn", "error", "fatal") (default "info")',
    default: 'info',
  },
  { name: 'tls', type: 'bool', usage: 'Use TLS; implied by --tlsverify' },
  { name: 'tlscacert', type: 'string', usage: 'Trust certs signed only by this CA (default "~/.docker/ca.pem")' },
  { name: 'tlscert', type: 'string', usage: 'Path to TLS certificate file (default "~/.docker/cert.pem")' },
  { name: 'tlskey', type: 'string', usage: 'Path to TLS key file (default "~/.docker/key.pem")' },
  { name: 'tlsverify', type: 'bool', usage: 'Use TLS and verify the remote' },
  { name: 'version', short: 'v', type: 'bool', usage: 'Print version information and quit' },
];
