import type { Read } from '@heddle/runtime'
import type { ServerTLSSettings } from '../../kinds/common.js'
import type { FrontendTLS, GatewayTLS } from '../../kinds/gateway-api/gateway.js'
import type { Listener } from '../../kinds/gateway-api/listener.js'
import type { Problem } from '../status.js'
import { type Credential, certificateOf, type Referrer, rootsOf } from './certificates.js'
import type { Inputs } from './inputs.js'

/** TLS settings of a listener, and what is wrong with what they refer to. */
export interface ListenerTlsResult {
  readonly tls?: ServerTLSSettings
  readonly problem?: Problem
}

/** Keys of a listener's `tls.options`. */
const TERMINATE_MODE = 'gateway.istio.io/tls-terminate-mode'
const CIPHER_SUITES = 'gateway.istio.io/tls-cipher-suites'
const LISTENER_PROTOCOL = 'gateway.istio.io/listener-protocol'

const MOST_CERTIFICATES = 2

/** TLS of a listener as Istio's Gateway has it. `labels` are those of the Gateway: they tell where a multi-network gateway listens. */
export function listenerTls(
  listener: Listener,
  frontend: FrontendTLS | undefined,
  labels: Readonly<Record<string, string>>,
  referrer: Referrer,
  inputs: Inputs,
  read: Read,
): ListenerTlsResult {
  const { tls } = listener
  if (tls === undefined) return {}
  const ciphers = cipherSuites(tls.options?.[CIPHER_SUITES])
  if (tls.mode === 'Passthrough') {
    const mode = isAutoPassthrough(listener, labels) ? 'AUTO_PASSTHROUGH' : 'PASSTHROUGH'
    return { tls: { mode, ...ciphers } }
  }
  const mode = tls.options?.[TERMINATE_MODE]
  if (mode === 'ISTIO_SIMPLE') return { tls: { mode: 'SIMPLE', credentialName: 'builtin://', ...ciphers } }
  if (mode === 'ISTIO_MUTUAL') return { tls: { mode: 'ISTIO_MUTUAL', ...ciphers } }
  const written = mode === 'MUTUAL' || mode === 'OPTIONAL_MUTUAL' ? mode : 'SIMPLE'
  const certificates = ownCertificates(tls.certificateRefs ?? [], referrer, inputs, read)
  if ('problem' in certificates) return { tls: { mode: written, ...ciphers }, problem: certificates.problem }
  const settings: ServerTLSSettings = { mode: written, ...certificates.names, ...ciphers }
  return validated(settings, frontend, referrer, inputs, read)
}

type Certificates =
  | { readonly names: { credentialName?: string; credentialNames?: readonly string[] } }
  | { readonly problem: Problem }

/** One certificate is enough; what is wrong with another is told only where there is none. */
function ownCertificates(
  refs: NonNullable<NonNullable<Listener['tls']>['certificateRefs']>,
  referrer: Referrer,
  inputs: Inputs,
  read: Read,
): Certificates {
  if (refs.length > MOST_CERTIFICATES)
    return { problem: { reason: 'InvalidCertificateRef', message: 'TLS mode can only support up to 2 server certificates' } }
  const found = refs.map((ref): Credential => certificateOf(ref, referrer, inputs, read))
  const names = found.flatMap((one) => ('name' in one ? [one.name] : []))
  if (names.length === 1) return { names: { credentialName: names[0]! } }
  if (names.length > 1) return { names: { credentialNames: names } }
  const problems = found.flatMap((one) => ('problem' in one ? [one.problem] : []))
  if (problems[0] === undefined)
    return { problem: { reason: 'InvalidCertificateRef', message: 'no certificateRefs are given for TLS termination' } }
  return { problem: { reason: problems[0].reason, message: problems.map(({ message }) => message).join('; ') } }
}

/** With roots that clients are judged by, where the Gateway asks for that. */
function validated(
  tls: ServerTLSSettings,
  frontend: FrontendTLS | undefined,
  referrer: Referrer,
  inputs: Inputs,
  read: Read,
): ListenerTlsResult {
  const { caCertificateRefs = [], mode } = frontend?.validation ?? {}
  const [first] = caCertificateRefs
  if (first === undefined) return { tls }
  if (caCertificateRefs.length > 1)
    return { tls, problem: { reason: 'InvalidCACertificateRef', message: 'only one caCertificateRef is supported' } }
  const roots = rootsOf(first, referrer, inputs, read)
  if ('problem' in roots) return { tls, problem: roots.problem }
  const insecure = mode === 'AllowInsecureFallback'
  const asks = insecure || tls.mode === 'OPTIONAL_MUTUAL' ? 'OPTIONAL_MUTUAL' : 'MUTUAL'
  return { tls: { ...tls, mode: asks, caCertCredentialName: roots.name, insecureSkipVerify: insecure } }
}

/** What the Gateway asks of clients on a port. */
export function frontendFor(tls: GatewayTLS | undefined, port: number): FrontendTLS | undefined {
  const own = tls?.frontend?.perPort?.find((one) => one.port === port)
  return own === undefined ? tls?.frontend?.default : own.tls
}

/** Where gateways of other networks come in: told by an option, or by the port that labels of the Gateway name (default 15443). */
function isAutoPassthrough({ tls, port }: Listener, labels: Readonly<Record<string, string>>): boolean {
  if (tls?.options?.[LISTENER_PROTOCOL] === 'auto-passthrough') return true
  if (labels['topology.istio.io/network'] === undefined) return false
  return String(port) === (labels['networking.istio.io/gatewayPort'] ?? '15443')
}

// What Envoy's BoringSSL knows: Istio leaves others out.
const KNOWN_CIPHERS: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-PSK-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-PSK-AES128-CBC-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-PSK-AES256-CBC-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'PSK-AES128-CBC-SHA',
  'PSK-AES256-CBC-SHA',
  'DES-CBC3-SHA',
])

function cipherSuites(option: string | undefined): { cipherSuites?: readonly string[] } {
  const suites = (option ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => KNOWN_CIPHERS.has(one))
  return suites.length === 0 ? {} : { cipherSuites: suites }
}
