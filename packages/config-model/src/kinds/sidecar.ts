import { validateSidecar } from '../checks/sidecar.js'
import { fields } from '../decode/fields.js'
import { listOf, oneOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { LabelsSelector, ServerTLSSettings } from './common.js'
import { labelsSelector, serverTlsSettings, texts } from './common.js'
import type { Destination } from './http-route.js'
import { destination } from './http-route.js'
import { defineKind, type Kind } from './kind.js'
import type { ConnectionPoolSettings } from './traffic-policy.js'
import { connectionPoolSettings } from './traffic-policy.js'

/** networking.istio.io Sidecar. */
export interface SidecarSpec {
  workloadSelector?: LabelsSelector
  ingress?: readonly IstioIngressListener[]
  /** Absent: `*` + `/*`, everything. */
  egress?: readonly IstioEgressListener[]
  inboundConnectionPool?: ConnectionPoolSettings
  outboundTrafficPolicy?: OutboundTrafficPolicy
}

export type Sidecar = Resource<'Sidecar', SidecarSpec>

export type CaptureMode = 'DEFAULT' | 'IPTABLES' | 'NONE'

export interface SidecarPort {
  number: number
  protocol?: string
  name?: string
  /** @deprecated */
  targetPort?: number
}

export interface IstioIngressListener {
  port: SidecarPort
  bind?: string
  captureMode?: CaptureMode
  /** `127.0.0.1:PORT`, `0.0.0.0:PORT`, `unix:///path`, `[::1]:PORT`; absent: the port itself. */
  defaultEndpoint?: string
  tls?: ServerTLSSettings
  connectionPool?: ConnectionPoolSettings
}

export interface IstioEgressListener {
  port?: SidecarPort
  bind?: string
  captureMode?: CaptureMode
  /** `namespace/host`; namespace `.` own, `~` none, `*` all, `~name` all but this one. */
  hosts: readonly string[]
}

export interface OutboundTrafficPolicy {
  /** Default in a Sidecar: REGISTRY_ONLY is the enum's zero. */
  mode: 'REGISTRY_ONLY' | 'ALLOW_ANY' | 'ALLOW_ANY_DYNAMIC_DNS'
  egressProxy?: Destination
}

const port = fields<SidecarPort>({ number: uint32, protocol: text, name: text, targetPort: uint32 }, { defaults: { number: 0 } })
const captureMode = oneOf('DEFAULT', 'IPTABLES', 'NONE')

const ingress = fields<IstioIngressListener>(
  { port, bind: text, captureMode, defaultEndpoint: text, tls: serverTlsSettings, connectionPool: connectionPoolSettings },
  { required: ['port'] },
)

export const sidecar: Kind<Sidecar> = defineKind<Sidecar>({
  name: 'Sidecar',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<SidecarSpec>({
    workloadSelector: labelsSelector,
    ingress: listOf(ingress),
    egress: listOf(fields<IstioEgressListener>({ port, bind: text, captureMode, hosts: texts }, { defaults: { hosts: [] } })),
    inboundConnectionPool: connectionPoolSettings,
    outboundTrafficPolicy: fields<OutboundTrafficPolicy>(
      { mode: oneOf('REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS'), egressProxy: destination },
      { defaults: { mode: 'REGISTRY_ONLY' } },
    ),
  }),
  validate: validateSidecar,
})
