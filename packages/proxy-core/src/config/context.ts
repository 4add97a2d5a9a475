import type { Random } from '@heddle/runtime'
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
  /** For `compileAccessLogs` (observe/compile-access-log). */
  readonly accessLogSinks: AccessLogSinks
  readonly random: Random
  /** HTTP filters that this proxy knows, by their type names. */
  readonly filters: readonly HttpFilterFactory<unknown>[]
}
