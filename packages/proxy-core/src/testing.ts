import { createWatch, ok } from '@heddle/runtime'
import type { CompileDeps } from './config/compiled.js'
import { defaultHttpFilters } from './filters/defaults.js'
import type { ConnectionFacts } from './filters/listener/facts.js'
import { createHeaderMap } from './http/header-map.js'
import { compileLogFilter } from './observe/access-log-filter.js'
import type { RequestHead } from './route/table.js'

/** Helpers of this package's own tests; not exported. */

/** A hash that is cheap and has nothing to do with xxHash. */
export function testHash(text: string, seed = 0n): bigint {
  let hash = 14695981039346656037n ^ seed
  for (let i = 0; i < text.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 1099511628211n)
  return hash
}

/** Secrets are never there, access logs are dropped. */
export function testDeps(deps: Partial<CompileDeps> = {}): CompileDeps {
  return {
    secrets: { watch: () => createWatch(undefined) },
    httpFilters: defaultHttpFilters,
    accessLog: (config) => ok({ name: String(config['name'] ?? ''), log: () => {} }),
    logFilter: (filter, path) => compileLogFilter(filter, path, { random: { next: () => 0 } }),
    hash64: testHash,
    ...deps,
  }
}

export function head(
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  rest: Partial<RequestHead> = {},
): RequestHead {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => [name, each] as const),
  )
  return { method: 'GET', scheme: 'http', authority: 'example.com', path, headers: createHeaderMap(lines), ...rest }
}

export function facts(rest: Partial<ConnectionFacts> = {}): ConnectionFacts {
  const source = { address: '10.0.0.9', port: 40000 }
  return {
    destination: { address: '10.0.0.1', port: 80 },
    source,
    directSource: source,
    transportProtocol: 'raw_buffer',
    applicationProtocols: [],
    ...rest,
  }
}
