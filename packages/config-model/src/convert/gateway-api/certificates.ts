import type { Read } from '@heddle/runtime'
import type { ObjectReferenceTo } from '../../kinds/gateway-api/references.js'
import type { Secret } from '../../kinds/kubernetes/secret.js'
import type { Problem } from '../status.js'
import type { Inputs } from './inputs.js'
import { CONFIG_MAP, type GroupKind, groupKindOf, isGranted, SECRET } from './references.js'

/** Who refers to a certificate. */
export interface Referrer {
  readonly kind: GroupKind
  readonly namespace: string
}

/** A credential by the name that SDS has for it, or why there is none. */
export type Credential = { readonly name: string } | { readonly problem: Problem }

/** A reference to a Secret with a certificate and its key. */
export function certificateOf(ref: ObjectReferenceTo, referrer: Referrer, inputs: Inputs, read: Read): Credential {
  const invalid = (what: string): Credential =>
    problem('InvalidCertificateRef', `invalid certificate reference ${label(ref)}, ${what}`)
  if (groupKindOf(ref, SECRET) !== SECRET) return invalid('only secret is allowed')
  return notGranted('certificateRef', ref, SECRET, referrer, inputs, read) ?? keyPairOf(ref, referrer, invalid, inputs, read)
}

// Only what may be referred to is looked at: else the answer would tell what another namespace has.
function keyPairOf(
  ref: ObjectReferenceTo,
  referrer: Referrer,
  invalid: (what: string) => Credential,
  inputs: Inputs,
  read: Read,
): Credential {
  const key = `${ref.namespace ?? referrer.namespace}/${ref.name}`
  const secret = read.get(inputs.sources.Secret, key)
  if (secret === undefined) return invalid(`secret ${key} not found`)
  const wrong = keyPairProblem(secret)
  return wrong === undefined ? { name: `kubernetes-gateway://${key}` } : invalid(wrong)
}

/** A reference to roots that clients are judged by: of a ConfigMap or a Secret. */
export function rootsOf(ref: ObjectReferenceTo, referrer: Referrer, inputs: Inputs, read: Read): Credential {
  const invalid = (reason: string, what: string): Credential =>
    problem(reason, `invalid CA certificate reference ${label(ref)}, ${what}`)
  const kind = groupKindOf(ref, CONFIG_MAP)
  const namespace = ref.namespace ?? referrer.namespace
  const key = `${namespace}/${ref.name}`
  if (kind !== CONFIG_MAP && kind !== SECRET) return invalid('InvalidCACertificateKind', 'only secret and configmap are allowed')
  const denied = notGranted('caCertificateRef', ref, kind, referrer, inputs, read)
  if (denied !== undefined) return denied
  const secret = kind === SECRET ? read.get(inputs.sources.Secret, key) : undefined
  const map = kind === CONFIG_MAP ? read.get(inputs.sources.ConfigMap, key) : undefined
  if (secret === undefined && map === undefined)
    return invalid('InvalidCACertificateRef', `${kind === SECRET ? 'secret' : 'configmap'} ${key} not found`)
  const wrong = rootsProblem(secret === undefined ? (map?.spec.data ?? {}) : textsOf(secret))
  if (wrong !== undefined) return invalid('InvalidCACertificateRef', wrong)
  return { name: kind === SECRET ? `kubernetes-gateway://${key}-cacert` : `configmap://${key}-cacert` }
}

/** The certificate that a gateway shows to backends. */
export function clientCertificateOf(ref: ObjectReferenceTo, referrer: Referrer, inputs: Inputs, read: Read): Credential {
  const invalid = (what: string): Credential =>
    problem('InvalidClientCertificateRef', `invalid clientCertificateRef ${label(ref)}, ${what}`)
  if (groupKindOf(ref, SECRET) !== SECRET) return invalid('only secret is allowed')
  return (
    notGranted('clientCertificateRef', ref, SECRET, referrer, inputs, read) ?? keyPairOf(ref, referrer, invalid, inputs, read)
  )
}

function problem(reason: string, message: string): Credential {
  return { problem: { reason, message } }
}

function label({ group = '', kind = '', name, namespace = '' }: ObjectReferenceTo): string {
  return `${group}/${kind}/${name}.${namespace}`
}

function notGranted(
  field: string,
  ref: ObjectReferenceTo,
  to: GroupKind,
  referrer: Referrer,
  inputs: Inputs,
  read: Read,
): Credential | undefined {
  const { namespace = referrer.namespace, name } = ref
  const cross = { from: referrer.kind, fromNamespace: referrer.namespace, to, toNamespace: namespace, name }
  if (namespace === referrer.namespace || isGranted(cross, inputs.grants, read)) return undefined
  const message = `${field} ${name}/${namespace} not accessible to a Gateway in namespace "${referrer.namespace}" (missing a ReferenceGrant?)`
  return problem('RefNotPermitted', message)
}

const CERTIFICATE_KEYS = [
  ['cert', 'key'],
  ['tls.crt', 'tls.key'],
] as const
const ROOT_KEYS = ['cacert', 'ca.crt'] as const

/** What is wrong with the certificate and key of a Secret. Whether they belong together is left to the proxy that gets them. */
function keyPairProblem(secret: Secret): string | undefined {
  const texts = textsOf(secret)
  for (const [certificate, key] of CERTIFICATE_KEYS) {
    const [chain, privateKey] = [texts[certificate], texts[key]]
    if (chain === undefined || privateKey === undefined) continue
    if (!hasPem(chain, /^CERTIFICATE$/)) return 'the certificate is malformed: failed to find any PEM data in certificate input'
    return hasPem(privateKey, /PRIVATE KEY$/)
      ? undefined
      : 'the certificate is malformed: failed to find any PEM data in key input'
  }
  return `found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: ${Object.keys(texts).sort().join(', ')}`
}

/** What is wrong with the roots in a Secret or ConfigMap. */
export function rootsProblem(texts: Readonly<Record<string, string>>): string | undefined {
  const key = ROOT_KEYS.find((one) => (texts[one] ?? '') !== '')
  if (key === undefined)
    return `found secret, but didn't have expected keys cacert or ca.crt; found: ${Object.keys(texts).sort().join(', ')}`
  return hasPem(texts[key]!, /^CERTIFICATE$/) ? undefined : 'the bundle is malformed: no PEM certificate in it'
}

/** The values of a Secret as text; bytes that are none become other characters. */
function textsOf({ spec }: Secret): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(spec.data ?? {})) {
    try {
      texts[key] = atob(value)
    } catch {
      texts[key] = ''
    }
  }
  return { ...texts, ...spec.stringData }
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g

/** A PEM block of that type that holds a DER sequence as long as it says. */
function hasPem(text: string, type: RegExp): boolean {
  for (const [, name = '', body = ''] of text.matchAll(PEM))
    if (type.test(name) && isSequence(body.replace(/\s/g, ''))) return true
  return false
}

function isSequence(base64: string): boolean {
  try {
    const der = atob(base64)
    const first = der.charCodeAt(1)
    if (der.charCodeAt(0) !== 0x30) return false
    if (first < 0x80) return der.length === first + 2
    let length = 0
    for (let i = 0; i < (first & 0x7f); i++) length = length * 256 + der.charCodeAt(2 + i)
    return der.length === length + 2 + (first & 0x7f)
  } catch {
    return false
  }
}
