import { expect, test } from 'vitest'
import type { Build } from '../build.js'
import { pilotFeatures } from '../pilot-features.js'
import { compliant } from './compliance.js'

// What a real istiod makes of the same contexts.
const APPROVED = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]
const given = {
  tls_minimum_protocol_version: 'TLSv1_3',
  tls_maximum_protocol_version: 'TLSv1_3',
  cipher_suites: ['AES128-SHA', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ecdh_curves: ['P-521'],
} as const

test.each([
  ['', given, given],
  ['another', given, given],
  ['', undefined, undefined],
  [
    'fips-140-2',
    given,
    {
      tls_minimum_protocol_version: 'TLSv1_2',
      tls_maximum_protocol_version: 'TLSv1_2',
      cipher_suites: ['ECDHE-RSA-AES128-GCM-SHA256'],
    },
  ],
  ['fips-140-2', undefined, { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_2' }],
  ['fips-140-3', given, { ...given, compliance_policies: ['FIPS_202205'] }],
  ['fips-140-3', undefined, { compliance_policies: ['FIPS_202205'] }],
  ['pqc', given, { ...given, cipher_suites: APPROVED, ecdh_curves: ['X25519MLKEM768'] }],
  ['pqc', undefined, { tls_minimum_protocol_version: 'TLSv1_3', cipher_suites: APPROVED, ecdh_curves: ['X25519MLKEM768'] }],
])('COMPLIANCE_POLICY %j', (policy, tls_params, wanted) => {
  const build = { features: pilotFeatures({ COMPLIANCE_POLICY: policy }) } as Build
  const context = { alpn_protocols: ['h2'], ...(tls_params === undefined ? {} : { tls_params }) }
  expect(compliant(build, context)).toEqual({ alpn_protocols: ['h2'], ...(wanted === undefined ? {} : { tls_params: wanted }) })
})
