import type { Server } from '@grpc/grpc-js'
import type { Logger } from '@heddle/runtime'
import type { XdsServer } from '../xds-server.js'
import type { Authenticate } from './peer.js'
import { ADS, definitionOf, implementationOf, PER_TYPE_SERVICES } from './service.js'
import { createCallHandler } from './stream.js'

export interface AddXdsServiceOptions {
  /** Who the peer is, by its certificate or token. Default: everyone is anonymous, for plaintext on a trusted network only. */
  readonly authenticate?: Authenticate
  /** Also CDS, EDS, LDS, RDS, ... as services of their own. Default true. */
  readonly perType?: boolean
  readonly logger?: Logger
}

/** Adds ADS (SotW and Delta) and the per-type services to a gRPC server that may serve other things too, a CA for instance. */
export function addXdsService(grpcServer: Server, server: XdsServer, options: AddXdsServiceOptions = {}): void {
  const { perType = true, ...rest } = options
  for (const service of perType ? [ADS, ...PER_TYPE_SERVICES] : [ADS]) {
    grpcServer.addService(
      definitionOf(service),
      implementationOf(service, (method) => createCallHandler({ server, ...rest }, method)),
    )
  }
}
