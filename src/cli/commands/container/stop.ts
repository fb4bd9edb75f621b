import { stopCommand } from '../../stop-command.ts';

export const command = stopCommand('stop', (client, name, options) => client.containers.stop(name, options));
