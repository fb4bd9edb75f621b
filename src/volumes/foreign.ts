import { kindOf, messageOf } from '../common/index.ts';
import { findPlugin, type PluginVolume, pluginNames } from './plugin.ts';

export interface Foreign {
  driver: string;
  scope: string;
  volume: PluginVolume;
}

/** Volumes that plugins have on their own, made by another engine or by hand. A plugin that does not answer is a warning. */
export async function foreignVolumes(
  dirs: readonly string[],
  isKnown: (name: string) => boolean,
): Promise<{ volumes: Foreign[]; warnings: string[] }> {
  const warnings: string[] = [];
  const lists = await Promise.all(
    (await pluginNames(dirs)).map(async (driver) => {
      try {
        const plugin = await findPlugin(driver, dirs);
        return (await plugin.list()).map((volume) => ({ driver, scope: plugin.scope, volume }));
      } catch (error) {
        // A socket of another kind of plugin is none of ours.
        if (kindOf(error) !== 'not-found') warnings.push(`list ${driver}: ${messageOf(error)}`);
        return [];
      }
    }),
  );
  return { volumes: lists.flat().filter(({ volume }) => volume.name !== '' && !isKnown(volume.name)), warnings };
}
