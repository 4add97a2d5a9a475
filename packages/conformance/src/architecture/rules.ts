/** What each package may import of the others: the floors of docs/architecture.md. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  'xds-types': ['runtime'],
  'config-model': ['runtime'],
  translator: ['runtime', 'xds-types', 'config-model'],
  'xds-server': ['runtime', 'xds-types'],
  'proxy-core': ['runtime', 'xds-types'],
  ca: ['runtime', 'xds-types'],
  injector: ['runtime', 'config-model'],
  mesh: ['runtime', 'xds-types', 'config-model', 'translator', 'xds-server', 'proxy-core', 'ca', 'injector'],
  agent: ['runtime', 'xds-types', 'config-model', 'translator', 'xds-server', 'ca'],
  cli: ['runtime', 'xds-types', 'config-model', 'translator', 'xds-server', 'proxy-core', 'ca', 'injector', 'mesh', 'agent'],
}

/** Private packages that test the others from outside: they may import each of them, and what they need; no package imports them. */
export const TOOLS: readonly string[] = ['conformance', 'bench', 'interop', 'packaging']

/** Where time and chance may be read: everybody else takes a Clock and a Random. */
export const TIME_FILES: readonly string[] = ['packages/runtime/src/clock.ts', 'packages/runtime/src/random.ts']

/** Lines of the published sources: half of the files and nine of ten stay below, each stays below `most`; above `long` it is named. */
export const SIZES = { median: 120, p90: 300, long: 400, most: 700 } as const
