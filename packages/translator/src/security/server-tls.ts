import type { ServerTLSSettings, TLSProtocol } from '@heddle/config-model'
import { createSideTable, type SideTable } from '@heddle/runtime'
import { writtenOnce } from '@heddle/xds-types'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { TlsParameters, TlsParameters_TlsProtocol } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Build } from '../build.js'
import { defined } from '../message.js'
import { offersExchange } from '../peer-exchange.js'
import { compliant } from './compliance.js'
import { controlPlaneSecret, fileSecret, mutualTlsCertificates, tlsSocket } from './tls-context.js'

/** Istio's cipher suites for TLS 1.2. */
const CIPHERS = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
]
const HTTP_ALPN = ['h2', 'http/1.1']
// What a client offers as `istio…` selects the chain; the server itself never answers with it.
const TCP_ALPN = ['istio-peer-exchange', ...HTTP_ALPN]

/** mTLS within the mesh: a certificate of any trust domain of the mesh is required. */
export function meshServerSocket(build: Build, protocol: 'http' | 'tcp'): TransportSocket {
  return build.found.of('mesh server socket', [protocol], () =>
    writtenOnce(tlsSocket('DownstreamTlsContext', meshServerContext(build, protocol))),
  )
}

function meshServerContext(build: Build, protocol: 'http' | 'tcp'): object {
  const { trustDomain, trustDomainAliases, meshMTLS } = build.mesh
  return {
    common_tls_context: compliant(build, {
      tls_params: defined({
        tls_minimum_protocol_version: version(meshMTLS?.minProtocolVersion) ?? 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3' as const,
        cipher_suites: (meshMTLS?.cipherSuites ?? []).length > 0 ? meshMTLS?.cipherSuites : CIPHERS,
        ecdh_curves: (meshMTLS?.ecdhCurves ?? []).length > 0 ? meshMTLS?.ecdhCurves : undefined,
      }),
      alpn_protocols: protocol === 'http' || !offersExchange(build) ? HTTP_ALPN : TCP_ALPN,
      ...mutualTlsCertificates(
        build.features.skipTrustDomains
          ? []
          : [trustDomain, ...trustDomainAliases].map((domain) => ({ prefix: `spiffe://${domain}/` })),
      ),
    }),
    require_client_certificate: true,
  }
}

/** TLS with the user's settings: a Gateway server, or a Sidecar's ingress listener. Servers with equal settings have the very same. */
export function userServerSocket(
  build: Build,
  tls: ServerTLSSettings,
  protocol: 'http' | 'tcp',
  terminatesTcpOnGateway = false,
): TransportSocket {
  return build.memo.of('user server socket', [textOf(tls), protocol, terminatesTcpOnGateway], () =>
    writtenOnce(tlsSocket('DownstreamTlsContext', userServerContext(build, tls, protocol, terminatesTcpOnGateway))),
  )
}

// A gateway's servers are asked for again with each change.
const texts: SideTable<string> = createSideTable()

function textOf(tls: ServerTLSSettings): string {
  let text = texts.of(tls)
  if (text === undefined) texts.set(tls, (text = JSON.stringify(tls)))
  return text
}

function userServerContext(
  build: Build,
  tls: ServerTLSSettings,
  protocol: 'http' | 'tcp',
  terminatesTcpOnGateway: boolean,
): object {
  const istio = tls.mode === 'ISTIO_MUTUAL'
  const mutual = tls.mode === 'MUTUAL' || istio
  const alpn = istio && protocol === 'tcp' && terminatesTcpOnGateway && offersExchange(build) ? TCP_ALPN : HTTP_ALPN
  const certificates = istio
    ? mutualTlsCertificates((tls.subjectAltNames ?? []).map((exact) => ({ exact })))
    : certificatesOf(tls, mutual || tls.mode === 'OPTIONAL_MUTUAL')
  return {
    common_tls_context: compliant(
      build,
      defined({ alpn_protocols: alpn, ...certificates, tls_params: istio ? undefined : params(build, tls) }),
    ),
    require_client_certificate: mutual,
  }
}

function certificatesOf(tls: ServerTLSSettings, validateClient: boolean): object {
  const credentials =
    tls.credentialNames !== undefined && tls.credentialNames.length > 0
      ? tls.credentialNames
      : tls.credentialName
        ? [tls.credentialName]
        : []
  const files = tls.tlsCertificates !== undefined && tls.tlsCertificates.length > 0 ? tls.tlsCertificates : [tls]
  const secrets =
    credentials.length > 0
      ? credentials.map((c) => controlPlaneSecret(credentialUri(c)))
      : files.map((f) => fileSecret(`file-cert:${f.serverCertificate ?? ''}~${f.privateKey ?? ''}`))
  return {
    tls_certificate_sds_secret_configs: secrets,
    ...(validateClient ? { combined_validation_context: validation(tls, credentials) } : pinned(tls)),
  }
}

function validation(tls: ServerTLSSettings, credentials: readonly string[]): object {
  const root =
    tls.caCertCredentialName !== undefined && tls.caCertCredentialName !== ''
      ? controlPlaneSecret(credentialUri(tls.caCertCredentialName))
      : credentials[0] !== undefined
        ? controlPlaneSecret(`${credentialUri(credentials[0])}-cacert`)
        : fileSecret(`file-root:${tls.caCertificates ?? ''}`)
  const { validation_context } = pinned(tls)
  return {
    default_validation_context: defined({
      ...validation_context,
      crl: tls.caCrl === undefined || tls.caCrl === '' || credentials.length > 0 ? undefined : { filename: tls.caCrl },
      trust_chain_verification: tls.insecureSkipVerify === true ? 'ACCEPT_UNTRUSTED' : undefined,
    }),
    validation_context_sds_secret_config: root,
  }
}

function pinned(tls: ServerTLSSettings): { validation_context?: object } {
  const fields = defined({
    match_subject_alt_names:
      (tls.subjectAltNames ?? []).length === 0 ? undefined : tls.subjectAltNames?.map((exact) => ({ exact })),
    verify_certificate_spki: (tls.verifyCertificateSpki ?? []).length === 0 ? undefined : tls.verifyCertificateSpki,
    verify_certificate_hash: (tls.verifyCertificateHash ?? []).length === 0 ? undefined : tls.verifyCertificateHash,
  })
  return Object.keys(fields).length === 0 ? {} : { validation_context: fields }
}

/** A secret of the gateway's own namespace, unless the name says where. */
function credentialUri(name: string): string {
  return name.includes('://') ? name : `kubernetes://${name}`
}

function params(build: Build, tls: ServerTLSSettings): TlsParameters | undefined {
  const defaults = build.mesh.tlsDefaults
  const list = (own: readonly string[] | undefined, mesh: readonly string[] | undefined): readonly string[] | undefined =>
    own !== undefined && own.length > 0 ? own : mesh !== undefined && mesh.length > 0 ? mesh : undefined
  const fields = defined({
    tls_minimum_protocol_version: version(tls.minProtocolVersion) ?? version(defaults?.minProtocolVersion),
    tls_maximum_protocol_version: version(tls.maxProtocolVersion),
    cipher_suites: list(tls.cipherSuites, defaults?.cipherSuites),
    ecdh_curves: list(tls.ecdhCurves, defaults?.ecdhCurves),
  })
  return Object.keys(fields).length === 0 ? undefined : fields
}

const VERSIONS: Readonly<Record<TLSProtocol, TlsParameters_TlsProtocol | undefined>> = {
  TLS_AUTO: undefined,
  TLSV1_0: 'TLSv1_0',
  TLSV1_1: 'TLSv1_1',
  TLSV1_2: 'TLSv1_2',
  TLSV1_3: 'TLSv1_3',
}

function version(of: TLSProtocol | undefined): TlsParameters_TlsProtocol | undefined {
  return of === undefined ? undefined : VERSIONS[of]
}
