import { fields } from '../decode/fields.js'
import { type Decode, decimal, flag, listOf, mapOf, oneOf, text, uint32, uint64 } from '../decode/value.js'
/** Milliseconds. On the wire and in YAML a duration is text (`1.5s`, `1h30m`); after decode it is this number. */
export type Duration = number

/** How a text is compared. Exactly one of the three after decode; `exact: ''` is possible. */
export type StringMatch = { exact: string } | { prefix: string } | { regex: string }

/** 0 to 100. */
export interface Percent {
  value: number
}

export interface PortSelector {
  number: number
}

/** `labels` of Istio's networking kinds (Sidecar, DestinationRule, EnvoyFilter, ServiceEntry). */
export interface LabelsSelector {
  labels?: Readonly<Record<string, string>>
}

/** `matchLabels` of Istio's security, telemetry and extension kinds. */
export interface MatchLabelsSelector {
  matchLabels?: Readonly<Record<string, string>>
}

/** Attaches a policy to a Gateway, GatewayClass, Service or ServiceEntry. */
export interface PolicyTargetReference {
  /** '' is the Kubernetes core group. */
  group?: string
  kind: string
  name: string
  namespace?: string
}

/** Kubernetes label selector. */
export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>
  matchExpressions?: readonly LabelSelectorRequirement[]
}

export interface LabelSelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: readonly string[]
}

/** `locality` settings of load balancing; MeshConfig and DestinationRule. */
export interface LocalityLoadBalancerSetting {
  distribute?: readonly { from: string; to: Readonly<Record<string, number>> }[]
  failover?: readonly { from: string; to: string }[]
  failoverPriority?: readonly string[]
  /** Default true. */
  enabled?: boolean
}

export interface ZoneAwareLoadBalancerSetting {
  enabled?: boolean
  failover?: readonly { from: string; to: string }[]
  failoverPriority?: readonly string[]
  minClusterSize?: number
}

/** TLS of a client to an upstream. */
export interface ClientTLSSettings {
  /** Default DISABLE (the enum's zero). */
  mode: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL'
  clientCertificate?: string
  privateKey?: string
  caCertificates?: string
  credentialName?: string
  subjectAltNames?: readonly string[]
  sni?: string
  insecureSkipVerify?: boolean
  caCrl?: string
}

export type TLSProtocol = 'TLS_AUTO' | 'TLSV1_0' | 'TLSV1_1' | 'TLSV1_2' | 'TLSV1_3'

/** TLS of a Gateway server or a Sidecar ingress listener. */
export interface ServerTLSSettings {
  httpsRedirect?: boolean
  /** Default PASSTHROUGH (the enum's zero). */
  mode: 'PASSTHROUGH' | 'SIMPLE' | 'MUTUAL' | 'AUTO_PASSTHROUGH' | 'ISTIO_MUTUAL' | 'OPTIONAL_MUTUAL'
  serverCertificate?: string
  privateKey?: string
  caCertificates?: string
  caCrl?: string
  tlsCertificates?: readonly { serverCertificate?: string; privateKey?: string; caCertificates?: string }[]
  credentialName?: string
  credentialNames?: readonly string[]
  caCertCredentialName?: string
  subjectAltNames?: readonly string[]
  verifyCertificateSpki?: readonly string[]
  verifyCertificateHash?: readonly string[]
  minProtocolVersion?: TLSProtocol
  maxProtocolVersion?: TLSProtocol
  cipherSuites?: readonly string[]
  ecdhCurves?: readonly string[]
  insecureSkipVerify?: boolean
}

export const percent: Decode<Percent> = fields<Percent>({ value: decimal }, { defaults: { value: 0 } })
export const portSelector: Decode<PortSelector> = fields<PortSelector>({ number: uint32 }, { defaults: { number: 0 } })
export const texts: Decode<readonly string[]> = listOf(text)
export const textMap: Decode<Readonly<Record<string, string>>> = mapOf(text)
export const labelsSelector: Decode<LabelsSelector> = fields<LabelsSelector>({ labels: textMap })
export const matchLabelsSelector: Decode<MatchLabelsSelector> = fields<MatchLabelsSelector>({ matchLabels: textMap })

export const targetReference: Decode<PolicyTargetReference> = fields<PolicyTargetReference>(
  { group: text, kind: text, name: text, namespace: text },
  { defaults: { kind: '', name: '' } },
)

export const labelSelector: Decode<LabelSelector> = fields<LabelSelector>({
  matchLabels: textMap,
  matchExpressions: listOf(
    fields<LabelSelectorRequirement>(
      { key: text, operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'), values: texts },
      { required: ['key', 'operator'] },
    ),
  ),
})

const fromTo = fields<{ from: string; to: string }>({ from: text, to: text }, { defaults: { from: '', to: '' } })

export const localityLbSetting: Decode<LocalityLoadBalancerSetting> = fields<LocalityLoadBalancerSetting>({
  distribute: listOf(
    fields<{ from: string; to: Readonly<Record<string, number>> }>(
      { from: text, to: mapOf(uint32) },
      { defaults: { from: '', to: {} } },
    ),
  ),
  failover: listOf(fromTo),
  failoverPriority: texts,
  enabled: flag,
})

export const zoneAwareLbSetting: Decode<ZoneAwareLoadBalancerSetting> = fields<ZoneAwareLoadBalancerSetting>({
  enabled: flag,
  failover: listOf(fromTo),
  failoverPriority: texts,
  minClusterSize: uint64,
})

export const clientTlsSettings: Decode<ClientTLSSettings> = fields<ClientTLSSettings>(
  {
    mode: oneOf('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
    clientCertificate: text,
    privateKey: text,
    caCertificates: text,
    credentialName: text,
    subjectAltNames: texts,
    sni: text,
    insecureSkipVerify: flag,
    caCrl: text,
  },
  { defaults: { mode: 'DISABLE' } },
)

const tlsProtocol = oneOf('TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3')

export const serverTlsSettings: Decode<ServerTLSSettings> = fields<ServerTLSSettings>(
  {
    httpsRedirect: flag,
    mode: oneOf('PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'),
    serverCertificate: text,
    privateKey: text,
    caCertificates: text,
    caCrl: text,
    tlsCertificates: listOf(
      fields<{ serverCertificate?: string; privateKey?: string; caCertificates?: string }>({
        serverCertificate: text,
        privateKey: text,
        caCertificates: text,
      }),
    ),
    credentialName: text,
    credentialNames: texts,
    caCertCredentialName: text,
    subjectAltNames: texts,
    verifyCertificateSpki: texts,
    verifyCertificateHash: texts,
    minProtocolVersion: tlsProtocol,
    maxProtocolVersion: tlsProtocol,
    cipherSuites: texts,
    ecdhCurves: texts,
    insecureSkipVerify: flag,
  },
  { defaults: { mode: 'PASSTHROUGH' } },
)
