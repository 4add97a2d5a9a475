import type { Secret } from '@heddle/config-model'
import { fail, ok, type Result } from '@heddle/runtime'
import type { Secret as TlsSecret } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'

// Istio reads generic secrets first, then those of type kubernetes.io/tls.
const CERTIFICATE_KEYS = [
  ['cert', 'key'],
  ['tls.crt', 'tls.key'],
] as const
const ROOT_KEYS = ['cacert', 'ca.crt'] as const
const CRL_KEYS = ['crl', 'ca.crl'] as const
const STAPLE_KEYS = ['tls.ocsp-staple'] as const

/** Certificate chain and key of a Kubernetes Secret, as SDS has them. Fails with `secret.no_key_pair`. */
export function certificateSecret(secret: Secret, name: string): Result<TlsSecret> {
  for (const [certificate, key] of CERTIFICATE_KEYS) {
    const [chain, privateKey] = [inline(secret, [certificate]), inline(secret, [key])]
    if (chain === undefined || privateKey === undefined) continue
    const staple = inline(secret, STAPLE_KEYS)
    return ok({
      name,
      tls_certificate: {
        certificate_chain: chain,
        private_key: privateKey,
        ...(staple === undefined ? {} : { ocsp_staple: staple }),
      },
    })
  }
  return missing(secret, 'secret.no_key_pair', 'tls.crt and tls.key, or cert and key')
}

/** The roots of a Kubernetes Secret, with their CRL where there is one. Fails with `secret.no_roots`. */
export function rootsSecret(secret: Secret, name: string): Result<TlsSecret> {
  const roots = inline(secret, ROOT_KEYS)
  if (roots === undefined) return missing(secret, 'secret.no_roots', 'ca.crt or cacert')
  const crl = inline(secret, CRL_KEYS)
  return ok({ name, validation_context: { trusted_ca: roots, ...(crl === undefined ? {} : { crl }) } })
}

/** The first of `keys` that has a value; `stringData` wins, as in the API server. */
function inline({ spec }: Secret, keys: readonly string[]): { inline_bytes: string } | undefined {
  for (const key of keys) {
    const text = spec.stringData?.[key]
    const bytes = text === undefined ? spec.data?.[key] : base64(text)
    if (bytes !== undefined && bytes !== '') return { inline_bytes: bytes }
  }
  return undefined
}

function missing({ metadata, spec }: Secret, code: string, wanted: string): Result<never> {
  const has = [...Object.keys(spec.data ?? {}), ...Object.keys(spec.stringData ?? {})].sort()
  return fail({
    code,
    severity: 'error',
    path: 'data',
    subject: `Secret ${metadata.namespace}/${metadata.name}`,
    message: `The Secret needs ${wanted}; it has ${has.length === 0 ? 'nothing' : has.join(', ')}.`,
  })
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
