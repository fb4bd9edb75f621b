import packageJson from '../../package.json' with { type: 'json' };

/** Gantry's version. */
export const VERSION: string = packageJson.version;
