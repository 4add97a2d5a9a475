import { validateGateway } from '../checks/gateway.js'
import { fields } from '../decode/fields.js'
import { listOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { ServerTLSSettings } from './common.js'
import { serverTlsSettings, textMap, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'

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

const port = fields<Port>(
  { number: uint32, protocol: text, name: text, targetPort: uint32 },
  { defaults: { number: 0, protocol: '', name: '' } },
)

const server = fields<Server>(
  { port, bind: text, hosts: texts, tls: serverTlsSettings, defaultEndpoint: text, name: text },
  { required: ['port'], defaults: { hosts: [] } },
)

export const gateway: Kind<Gateway> = defineKind<Gateway>({
  name: 'Gateway',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<GatewaySpec>({ servers: listOf(server), selector: textMap }, { defaults: { servers: [] } }),
  validate: validateGateway,
})
