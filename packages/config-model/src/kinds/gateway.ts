import type { Resource } from '../resource.js'
import type { ServerTLSSettings } from './common.js'

/** networking.istio.io Gateway (not the one of Gateway API). */
export interface GatewaySpec {
  servers: readonly Server[]
  /** Labels of the proxies that take it; empty: all gateways. */
  selector?: Readonly<Record<string, string>>
}

export type Gateway = Resource<'Gateway', GatewaySpec>

/** A port with a protocol. */
export interface Port {
  number: number
  /** As written; compared upper case. */
  protocol: string
  name: string
  /** @deprecated */
  targetPort?: number
}

export interface Server {
  port: Port
  bind?: string
  /** `host` or `namespace/host`, `.` and `*` as namespace. */
  hosts: readonly string[]
  tls?: ServerTLSSettings
  defaultEndpoint?: string
  name?: string
}
