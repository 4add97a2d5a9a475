import type { Secret } from '@heddle/config-model'
import type { Diagnostic, Result } from '@heddle/runtime'
import type { ResourceGroup } from '@heddle/xds-types'
import type { Secret as TlsSecret } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Build } from '../build.js'
import { SECRET_TYPE } from '../message.js'
import { sourceOf } from '../provenance.js'
import { CA_SUFFIX, type Credential, GATEWAY_SCHEME, parseCredential } from './credential.js'
import { certificateSecret, rootsSecret } from './key-material.js'
import { secretNamesOf } from './references.js'

/**
 * The secrets that the groups' resources ask the control plane for: `credentialName` of a Gateway or DestinationRule. Only those of the proxy's
 * own namespace are given, as by istiod, and those that a ReferenceGrant opens to its Gateways; for any other, and for one that does not exist or holds no keys, a diagnostic says why it is missing.
 */
export function secretsGroup(
  build: Build,
  groups: readonly ResourceGroup[],
): { group: ResourceGroup; diagnostics: readonly Diagnostic[] } {
  const names = [...new Set(groups.flatMap(secretNamesOf))].sort()
  const diagnostics: Diagnostic[] = []
  const secrets: TlsSecret[] = []
  for (const name of names) {
    const made = secretOf(build, name)
    if (made.ok) secrets.push(made.value)
    else diagnostics.push(...made.diagnostics)
  }
  const resources = secrets.length === 0 ? new Map<string, readonly object[]>() : new Map([[SECRET_TYPE, secrets]])
  return { group: { id: `secrets ${build.proxy.namespace}`, resources }, diagnostics }
}

function secretOf(build: Build, name: string): Result<TlsSecret> {
  const credential = parseCredential(name, build.proxy.namespace)
  if (credential === undefined)
    return refused('secret.unknown_name', name, `${name} is no name of a Secret. Write kubernetes://name.`)
  if (credential.namespace !== build.proxy.namespace && !isGranted(build, credential)) {
    const message = `The proxy is in ${build.proxy.namespace}: put the Secret there, or run the gateway where the Secret is.`
    return refused('secret.other_namespace', name, message)
  }
  const secret = find(build, credential)
  if (secret === undefined) {
    const where = `${credential.namespace}/${credential.name}`
    return refused('secret.not_found', name, `There is no Secret ${where}. Create it in the namespace of the gateway's pods.`)
  }
  const made = material(secret, credential)
  if (made.ok) build.origins.mark(made.value, sourceOf(secret))
  return made
}

/** Whether a ReferenceGrant lets Gateways of the proxy's namespace use a Secret of another: asked again here, because users may write such names too. */
function isGranted({ snapshot, proxy }: Build, { resourceName, namespace, name, rootOnly }: Credential): boolean {
  if (!resourceName.startsWith(GATEWAY_SCHEME)) return false
  const names = rootOnly ? [name, name.slice(0, -CA_SUFFIX.length)] : [name]
  return snapshot
    .list('ReferenceGrant')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .some(
      ({ spec: { from, to } }) =>
        from.some((one) => one.group === GATEWAY_API && HOLDERS.includes(one.kind) && one.namespace === proxy.namespace) &&
        to.some((one) => one.group === '' && one.kind === 'Secret' && (one.name === undefined || names.includes(one.name))),
    )
}

const GATEWAY_API = 'gateway.networking.k8s.io'
const HOLDERS: readonly string[] = ['Gateway', 'ListenerSet']

/** A name that ends in `-cacert` means that Secret, or else the roots inside the one without the suffix. */
function find({ snapshot }: Build, { namespace, name, rootOnly }: Credential): Secret | undefined {
  const found = snapshot.get('Secret', namespace, name)
  return found ?? (rootOnly ? snapshot.get('Secret', namespace, name.slice(0, -CA_SUFFIX.length)) : undefined)
}

const made = new WeakMap<Secret, Map<string, Result<TlsSecret>>>()

/** The same message as long as the Secret is the same, so that it is encoded and compared once. */
function material(secret: Secret, { resourceName, rootOnly }: Credential): Result<TlsSecret> {
  const ofSecret = made.get(secret) ?? new Map<string, Result<TlsSecret>>()
  made.set(secret, ofSecret)
  const result = ofSecret.get(resourceName) ?? (rootOnly ? rootsSecret : certificateSecret)(secret, resourceName)
  ofSecret.set(resourceName, result)
  return result
}

function refused(code: string, resourceName: string, message: string): Result<never> {
  return { ok: false, diagnostics: [{ code, severity: 'warning', path: '', subject: resourceName, message }] }
}
