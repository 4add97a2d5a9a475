import type { HttpFilterFactory } from '../http/filter.js'
import type { AccessLogSinks } from '../observe/access-log.js'
import type { SecretSource } from './compiled.js'

/**
 * What compiling a resource may use of the proxy. Every compile function has the shape
 * `compileX(message, context): Result<CompiledX>`: compileListener, compileRouteTable, compileCluster, and
 * compileEndpoints for a ClusterLoadAssignment.
 */
export interface CompileContext {
  readonly secrets: SecretSource
  readonly accessLogSinks: AccessLogSinks
  /** HTTP filters that this proxy knows, by their type names. */
  readonly filters: readonly HttpFilterFactory<unknown>[]
}
