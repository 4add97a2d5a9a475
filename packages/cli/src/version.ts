import pkg from '../package.json' with { type: 'json' }

/** Of the package, as published. */
export const VERSION: string = pkg.version
