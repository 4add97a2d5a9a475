import type { TlsParameters } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { expect, test } from 'vitest'
import { compileMessage } from './fields.js'
import { compileTlsTerms } from './tls-parameters.js'

const compile = (json: TlsParameters) => compileMessage(json, 'tls_params', (fields) => compileTlsTerms(fields, 'TLSv1.2'))

test.each<[TlsParameters, object]>([
  [{}, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
  [
    { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
  ],
  [
    { cipher_suites: ['[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]', 'AES128-SHA'] },
    { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:AES128-SHA' },
  ],
  [{ cipher_suites: ['TLS_AES_128_GCM_SHA256', 'AES128-SHA'] }, { ciphers: 'AES128-SHA' }],
  [{ ecdh_curves: ['X25519', 'P-256', 'P-384'] }, { curves: 'X25519:P-256:P-384' }],
  [
    { signature_algorithms: ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'] },
    { signatureAlgorithms: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256' },
  ],
  [
    { compliance_policies: ['FIPS_202205'], ecdh_curves: ['X25519'], tls_minimum_protocol_version: 'TLSv1_3' },
    {
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      curves: 'P-256:P-384',
      ciphers: expect.stringContaining('ECDHE-RSA-AES256-GCM-SHA384'),
      suites: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
    },
  ],
])('%j', (json, wanted) => {
  expect(compile(json)).toMatchObject({ ok: true, value: wanted })
})

test.each<[TlsParameters, string]>([
  [{ cipher_suites: ['NO-SUCH-CIPHER'] }, 'tls_params.cipher_suites'],
  [{ cipher_suites: ['ECDHE-RSA-AES128-GCM-SHA256', 'NO-SUCH-CIPHER'] }, 'tls_params.cipher_suites'],
  [{ cipher_suites: ['TLS_AES_128_GCM_SHA256'] }, 'tls_params.cipher_suites'],
  [{ ecdh_curves: ['P-256', 'P-1'] }, 'tls_params.ecdh_curves'],
  [{ signature_algorithms: ['by hand'] }, 'tls_params.signature_algorithms'],
  [{ tls_minimum_protocol_version: 'TLSv1_0' }, 'tls_params.tls_minimum_protocol_version'],
  [{ tls_minimum_protocol_version: 'TLSv1_3' }, 'tls_params'],
])('%j is refused at %s', (json, path) => {
  const compiled = compile(json)
  expect(compiled.ok).toBe(false)
  expect(compiled.diagnostics.map((problem) => problem.path)).toContain(path)
})
