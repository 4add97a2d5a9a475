import type { CommonTlsContext, TlsParameters } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Build } from '../build.js'

const APPROVED_CIPHERS: readonly string[] = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]

/** TLS within what COMPLIANCE_POLICY allows, whatever else was asked for. */
export function compliant<T extends CommonTlsContext>({ features }: Build, context: T): T {
  if (features.compliance === 'none') return context
  return { ...context, tls_params: POLICIES[features.compliance](context.tls_params ?? {}) }
}

const POLICIES: Readonly<Record<Exclude<Build['features']['compliance'], 'none'>, (given: TlsParameters) => TlsParameters>> = {
  'fips-140-2'({ cipher_suites, ecdh_curves: _, ...given }) {
    // A FIPS build of Envoy has approved ciphers alone by default, and P-256.
    const named = cipher_suites !== undefined && cipher_suites.length > 0
    const ciphers = named ? { cipher_suites: cipher_suites.filter((cipher) => APPROVED_CIPHERS.includes(cipher)) } : {}
    return { ...given, tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_2', ...ciphers }
  },
  'fips-140-3': (given) => ({ ...given, compliance_policies: ['FIPS_202205'] }),
  pqc: (given) => ({
    ...given,
    tls_minimum_protocol_version: 'TLSv1_3',
    cipher_suites: APPROVED_CIPHERS,
    ecdh_curves: ['X25519MLKEM768'],
  }),
}
