import type { ClientTLSSettings, MeshService } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { Cluster_TransportSocketMatch } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { TlsParameters } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { sendsHbone } from '../ambient/hbone.js'
import { addTunnelMatch } from '../ambient/socket-matches.js'
import type { Build } from '../build.js'
import { defined } from '../message.js'
import { offersExchange } from '../peer-exchange.js'
import { compliant } from '../security/compliance.js'
import { controlPlaneSecret, fileSecret, mutualTlsCertificates, tlsSocket } from '../security/tls-context.js'
import type { ClusterDraft } from './draft.js'
import { RAW_BUFFER } from './raw-buffer.js'

const MESH_ALPN = ['istio-peer-exchange', 'istio']
const TLS_PARAMS: TlsParameters = { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' }

export interface UpstreamTls {
  readonly service: MeshService
  readonly settings: ClientTLSSettings | undefined
  /** SPIFFE identities that the endpoints may show. */
  readonly identities: readonly string[]
  /** SNI of mTLS within the mesh. */
  readonly meshSni: string
  /** Whether the rule is for chosen workloads (workloadSelector). */
  readonly selected: boolean
  /** What the servers take, as far as clients can tell; `unknown` outside the mesh. */
  readonly serverMode: 'DISABLE' | 'PERMISSIVE' | 'STRICT' | 'unknown'
}

/** DestinationRule tls, or automatic mTLS: each endpoint by its own `tlsMode` where nothing is said. */
export function applyUpstreamTls(build: Build, draft: ClusterDraft, tls: UpstreamTls): void {
  const { settings } = tls
  if (settings === undefined) applyAutoMtls(build, draft, tls)
  else applySettings(build, draft, tls, settings)
  if (sendsHbone(build)) addTunnelMatch(draft, settings)
}

/** TLS that a rule asks for and that is not Istio's: what a waypoint puts into its tunnels. */
export function applyUserTls(build: Build, draft: ClusterDraft, tls: UpstreamTls): void {
  const { settings } = tls
  if (settings?.mode === 'SIMPLE' || settings?.mode === 'MUTUAL') applySettings(build, draft, tls, settings)
}

function applyAutoMtls(build: Build, draft: ClusterDraft, tls: UpstreamTls): void {
  if (!build.mesh.enableAutoMtls || tls.serverMode === 'unknown' || tls.serverMode === 'DISABLE') return
  const socket = meshSocket(build, draft, tls.identities, tls.meshSni)
  if (draft.cluster.type === 'ORIGINAL_DST') draft.cluster.transport_socket = socket
  else draft.cluster.transport_socket_matches = byEndpoint(socket)
}

function byEndpoint(mutual: TransportSocket): Cluster_TransportSocketMatch[] {
  return [{ name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transport_socket: mutual }, PLAIN]
}

const PLAIN: Cluster_TransportSocketMatch = writtenOnce({
  name: 'tlsMode-disabled',
  match: {},
  transport_socket: RAW_BUFFER,
})

/** TLS of the user's own is offered with the protocols that the user means. */
export function markUserTls(draft: ClusterDraft, settings: ClientTLSSettings | undefined): void {
  if (settings?.mode === 'SIMPLE' || settings?.mode === 'MUTUAL') draft.istio['alpn_override'] = 'false'
}

function applySettings(build: Build, draft: ClusterDraft, tls: UpstreamTls, settings: ClientTLSSettings): void {
  markUserTls(draft, settings)
  if (settings.mode === 'DISABLE' || withheld(build, tls, settings)) return
  if (settings.mode === 'ISTIO_MUTUAL') {
    const names =
      settings.subjectAltNames !== undefined && settings.subjectAltNames.length > 0 ? settings.subjectAltNames : tls.identities
    draft.cluster.transport_socket = meshSocket(
      build,
      draft,
      names,
      settings.sni === undefined || settings.sni === '' ? tls.meshSni : settings.sni,
    )
    return
  }
  const names =
    settings.subjectAltNames !== undefined && settings.subjectAltNames.length > 0
      ? settings.subjectAltNames
      : tls.service.registry === 'External'
        ? tls.identities
        : []
  if (settings.sni === undefined || settings.sni === '')
    draft.http.upstream = {
      auto_sni: true,
      ...((settings.subjectAltNames ?? []).length === 0 && settings.insecureSkipVerify !== true
        ? { auto_san_validation: true }
        : {}),
    }
  draft.cluster.transport_socket = tlsSocket(
    'UpstreamTlsContext',
    defined({
      common_tls_context: compliant(build, plainTls(build, draft, settings, names)),
      sni: settings.sni === '' ? undefined : settings.sni,
    }),
  )
}

/** A credential goes to gateways, and to the sidecars that a DestinationRule selects; all others would wait for a secret that they may not have. */
function withheld(build: Build, { selected }: UpstreamTls, { mode, credentialName = '' }: ClientTLSSettings): boolean {
  return credentialName !== '' && build.proxy.type === 'sidecar' && !selected && (mode === 'SIMPLE' || mode === 'MUTUAL')
}

/** TLS to anything that is not Istio: certificates from files are secrets of the agent, those of a credentialName secrets of the control plane. */
function plainTls({ mesh }: Build, draft: ClusterDraft, settings: ClientTLSSettings, names: readonly string[]): object {
  const { cipherSuites, ecdhCurves } = mesh.tlsDefaults ?? {}
  const byCredential = settings.credentialName !== undefined && settings.credentialName !== ''
  const mutual = settings.mode === 'MUTUAL'
  const certificate = !mutual
    ? undefined
    : byCredential
      ? controlPlaneSecret(`kubernetes://${settings.credentialName}`)
      : fileSecret(`file-cert:${settings.clientCertificate ?? ''}~${settings.privateKey ?? ''}`)
  const root = byCredential
    ? controlPlaneSecret(`kubernetes://${settings.credentialName}-cacert`)
    : fileSecret(`file-root:${settings.caCertificates || 'system'}`)
  const validation = defined({
    match_subject_alt_names: names.length === 0 ? undefined : names.map((exact) => ({ exact })),
    crl: settings.caCrl === undefined || settings.caCrl === '' || byCredential ? undefined : { filename: settings.caCrl },
  })
  return defined({
    tls_params: { ...TLS_PARAMS, ...defined({ cipher_suites: given(cipherSuites), ecdh_curves: given(ecdhCurves) }) },
    alpn_protocols: draft.http.protocol === 'http2' ? ['h2'] : undefined,
    tls_certificate_sds_secret_configs: certificate === undefined ? undefined : [certificate],
    ...(settings.insecureSkipVerify === true
      ? { validation_context: {} }
      : { combined_validation_context: { default_validation_context: validation, validation_context_sds_secret_config: root } }),
  })
}

function given(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

function meshSocket(build: Build, draft: ClusterDraft, names: readonly string[], sni: string): TransportSocket {
  return tlsSocket('UpstreamTlsContext', { common_tls_context: meshContext(build, draft.http.protocol === 'http2', names), sni })
}

/** Most clusters differ in nothing but the SNI. */
function meshContext(build: Build, http2: boolean, names: readonly string[]): object {
  return build.memo.of('mesh client context', [http2, ...names], () =>
    writtenOnce(
      compliant(build, {
        tls_params: TLS_PARAMS,
        alpn_protocols: [...(offersExchange(build) ? MESH_ALPN : ['istio']), ...(http2 ? ['h2'] : [])],
        ...mutualTlsCertificates(names.map((exact) => ({ exact }))),
      }),
    ),
  )
}
