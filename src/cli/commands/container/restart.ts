import { stopCommand } from '../../stop-command.ts';

export const command = stopCommand('restart', (client, name, options) => client.containers.restart(name, options));
