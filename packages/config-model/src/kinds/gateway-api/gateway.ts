import { validateKubernetesGateway } from '../../checks/gateway-api/listeners.js'
import { fields } from '../../decode/fields.js'
import { type Decode, listOf, oneOf, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { textMap } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import { type Listener, listener, type NamespaceFilter, namespaceFilter } from './listener.js'
import { GATEWAY_API_GROUP, type ObjectReferenceTo, objectReferenceTo } from './references.js'

/** gateway.networking.k8s.io Gateway; the kind is called KubernetesGateway here, since `Gateway` is Istio's. */
export interface KubernetesGatewaySpec {
  gatewayClassName: string
  listeners: readonly Listener[]
  addresses?: readonly GatewayAddress[]
  infrastructure?: GatewayInfrastructure
  /** ListenerSets that may attach; absent: none. */
  allowedListeners?: { namespaces?: NamespaceFilter }
  tls?: GatewayTLS
}

export type KubernetesGateway = Resource<'KubernetesGateway', KubernetesGatewaySpec>

/** `Hostname` is the Service in front of proxies that somebody else deploys. */
export interface GatewayAddress {
  /** Default IPAddress. */
  type?: string
  value?: string
}

export interface GatewayInfrastructure {
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  parametersRef?: ObjectReferenceTo
}

/** What listeners ask of clients (`frontend`), and the certificate that is shown to backends. */
export interface GatewayTLS {
  frontend?: { default?: FrontendTLS; perPort?: readonly { port: number; tls?: FrontendTLS }[] }
  backend?: { clientCertificateRef?: ObjectReferenceTo }
}

export interface FrontendTLS {
  validation?: FrontendValidation
}

export interface FrontendValidation {
  caCertificateRefs?: readonly ObjectReferenceTo[]
  /** Default AllowValidOnly. */
  mode?: 'AllowValidOnly' | 'AllowInsecureFallback'
}

const frontendTls: Decode<FrontendTLS> = fields<FrontendTLS>(
  {
    validation: fields<FrontendValidation>(
      { caCertificateRefs: listOf(objectReferenceTo), mode: oneOf('AllowValidOnly', 'AllowInsecureFallback') },
      { open: true },
    ),
  },
  { open: true },
)

const tls = fields<GatewayTLS>(
  {
    frontend: fields<NonNullable<GatewayTLS['frontend']>>(
      {
        default: frontendTls,
        perPort: listOf(
          fields<{ port: number; tls?: FrontendTLS }>({ port: uint32, tls: frontendTls }, { required: ['port'], open: true }),
        ),
      },
      { open: true },
    ),
    backend: fields<NonNullable<GatewayTLS['backend']>>({ clientCertificateRef: objectReferenceTo }, { open: true }),
  },
  { open: true },
)

export const kubernetesGateway: Kind<KubernetesGateway> = defineKind<KubernetesGateway>({
  name: 'KubernetesGateway',
  writtenAs: 'Gateway',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<KubernetesGatewaySpec>(
    {
      gatewayClassName: text,
      listeners: listOf(listener),
      addresses: listOf(fields<GatewayAddress>({ type: text, value: text }, { open: true })),
      infrastructure: fields<GatewayInfrastructure>(
        { labels: textMap, annotations: textMap, parametersRef: objectReferenceTo },
        { open: true },
      ),
      allowedListeners: fields<{ namespaces?: NamespaceFilter }>({ namespaces: namespaceFilter }, { open: true }),
      tls,
    },
    { defaults: { listeners: [] }, required: ['gatewayClassName'], open: true },
  ),
  validate: validateKubernetesGateway,
})
