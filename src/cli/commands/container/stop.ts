import { stopCommand } from '../../stop-command.ts';

export const command = stopCommand('stop', 'Stop one or more running containers', (client, name, options) =>
  client.containers.stop(name, options),
);
