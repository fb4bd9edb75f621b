/** What one sandbox's DNS server needs to know. Answered inside the container at 127.0.0.11. */
export interface SandboxNames {
  sandboxId: string;
  netnsPath: string;
  /** Networks whose names it may ask for, by id. */
  networks: string[];
  /** Servers for other names, in the order to try, asked from the container's namespace; `host`: those of the machine's resolv.conf, asked from the machine's. */
  upstreams: string[] | 'host';
  /** Names of `--link` on user-defined networks: alias → container name, answered to this sandbox only. */
  links: Record<string, string>;
  /** This container's own records: on each network its names and addresses. */
  records: { network: string; networkName: string; names: string[]; addresses: string[] }[];
  /** Has no way out: names unknown here are not asked upstream. */
  internal: boolean;
}

/** The name service of all sandboxes; lives in the companion process. */
export interface NameService {
  /** Starts or changes the server of a sandbox; answers when it listens. */
  serve(names: SandboxNames): Promise<void>;
  /** Ends it and forgets its names. */
  forget(sandboxId: string): Promise<void>;
}
