import { stopCommand } from '../../stop-command.ts';

export const command = stopCommand('restart', 'Restart one or more containers', (client, name, options) =>
  client.containers.restart(name, options),
);
