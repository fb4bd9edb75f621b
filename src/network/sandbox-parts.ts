import type { Logger } from '../common/index.ts';
import type { Links } from './links.ts';
import type { NetworkBook } from './network-book.ts';
import type { SandboxBook } from './sandbox-book.ts';
import type { SandboxPorts } from './sandbox-ports.ts';
import type { SandboxRules } from './sandbox-rules.ts';
import type { SandboxServed } from './sandbox-served.ts';
import type { StoredSandbox } from './store.ts';

/** What opening, joining and closing work with. */
export interface SandboxParts {
  networks: NetworkBook;
  sandboxes: SandboxBook;
  links: Links;
  rules: SandboxRules;
  ports: SandboxPorts;
  served: SandboxServed;
  log: Logger;
  /** Points the default routes at the endpoints that should have them now. */
  routes: (sandbox: StoredSandbox, inside: Links) => void;
  /** Has the kernel forget UDP flows by the sandbox's published ports, which would go on to where they went before. */
  forgetFlows: (sandbox: StoredSandbox) => void;
}
