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
  cli: ['runtime', 'xds-types', 'config-model', 'translator', 'xds-server', 'proxy-core', 'ca', 'injector', 'mesh'],
}

/** Private packages that test the others from outside: they may import each of them, and what they need; no package imports them. */
export const TOOLS: readonly string[] = ['conformance', 'bench', 'interop', 'packaging']

/** Outside dependencies live behind one door each: the files (prefixes) that may import them. */
export const DOORS: readonly { readonly module: RegExp; readonly files: readonly string[] }[] = [
  {
    module: /^@grpc\/grpc-js$/,
    files: [
      'packages/xds-server/src/grpc/',
      'packages/ca/src/grpc/',
      'packages/proxy-core/src/xds/grpc-transport.ts',
      'packages/mesh/src/',
    ],
  },
  { module: /^node-forge$/, files: ['packages/ca/src/pem.ts', 'packages/ca/src/plugged-in.ts'] },
  {
    module: /^(node:)?fs(\/promises)?$/,
    files: [
      'packages/config-model/src/sources/',
      'packages/ca/src/',
      'packages/mesh/src/',
      'packages/cli/src/',
      'packages/proxy-core/src/observe/',
      'packages/proxy-core/src/secrets',
    ],
  },
  {
    module: /^(node:)?(net|tls|dns)$/,
    files: ['packages/proxy-core/src/net/', 'packages/mesh/src/', 'packages/cli/src/'],
  },
]

/** Entries that a browser can run: no `node:` module and no Buffer. */
export const BROWSER_SAFE: readonly string[] = ['runtime', 'xds-types', 'translator', 'config-model']
/** Folders of these packages that have an entry of their own for Node. */
export const NODE_FOLDERS: readonly string[] = ['packages/config-model/src/sources/', 'packages/config-model/src/kubernetes/']

/** Where time and chance may be read: everybody else takes a Clock and a Random. */
export const TIME_FOLDERS: readonly string[] = ['packages/runtime/src/clock.ts', 'packages/runtime/src/random.ts']
