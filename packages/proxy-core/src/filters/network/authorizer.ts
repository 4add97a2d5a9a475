import type { Logger, MetricsRegistry } from '@heddle/runtime'
import type { FilterDeps } from '../../http/filter.js'
import type { DynamicMetadata } from '../../matcher/value.js'
import type { Connection } from '../../net/connection.js'
import type { Refusal } from '../../net/terminal.js'

export type AuthorizerDeps = {
  readonly stats: MetricsRegistry
  readonly logger: Logger
} & Pick<FilterDeps, 'grpc' | 'node'>

/** A network filter that asks another service about a connection, after TLS and before anything of it is served. */
export interface NetworkAuthorizer {
  readonly name: string
  /** As configured: an open connection can go on under another chain only if it would be asked about alike. */
  readonly message: unknown
  create(deps: AuthorizerDeps): Authorizer
  explain(metadata: DynamicMetadata): { readonly outcome: 'pass' | 'maybe'; readonly reason: string }
}

export interface Authorizer {
  /** Undefined: the connection may go on. Never rejects; a connection that is gone gives up. */
  check(connection: Connection): Promise<Refusal | undefined>
}
