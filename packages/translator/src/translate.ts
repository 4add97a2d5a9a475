import type { MeshSnapshot } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import { type Build, type BuildScope, createBuild, type JwksSource, sightOf } from './build.js'
import { danglingReferences, hasDanglingReferences } from './check.js'
import { createMemo, type Memo } from './memo.js'
import { partsOf } from './parts.js'
import { DEFAULT_FEATURES, type PilotFeatures } from './pilot-features.js'
import { createOrigins, createProvenanceIndex, NO_ORIGINS, type Origins, type ProvenanceIndex } from './provenance.js'
import { type ProxyDescriptor, parseLocality } from './proxy.js'
import { secretsGroup } from './secrets/secrets.js'
import { type ServiceTarget, serviceTargets } from './service-targets.js'
import { CLUSTER_DOMAIN } from './virtual-services.js'

export interface TranslateOptions {
  /** As of the store; default `cluster.local`. '' leaves short names as `name.namespace`. */
  readonly domainSuffix?: string
  /** Keys (JWKS as JSON) of RequestAuthentications that name a `jwksUri`, or only an issuer: translation fetches nothing itself. Default: none are known, and every token of such an issuer is refused. */
  readonly jwks?: (source: JwksSource) => string | undefined
  /** Whether the proxy has proved who it is. Default true. Without proof it gets no secrets, as on istiod's plaintext port. */
  readonly authenticated?: boolean
  /** istiod's feature switches: {@link pilotFeatures} of an environment. Default: those of an empty one. */
  readonly features?: PilotFeatures
}

export interface Translation {
  readonly resources: ResourceSet
  readonly diagnostics: readonly Diagnostic[]
  /** Which objects of the user are behind a resource or one of its fields. */
  readonly provenance: ProvenanceIndex
}

/** What istiod would send this proxy for this mesh. Pure: no clock, no I/O, nothing remembered that could be seen. */
export function translate(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options: TranslateOptions = {}): Translation {
  const { resources, secretDiagnostics } = build(snapshot, proxy, options, NO_ORIGINS)
  // Keeping where each message came from costs as much as making it: it is made again with marks when somebody wants to know.
  const traced = once(() => {
    const origins = createOrigins()
    return { origins, resources: build(snapshot, proxy, options, origins).resources }
  })
  const index = once(() => createProvenanceIndex(traced().resources, traced().origins))
  const diagnostics = once(() => [
    ...(hasDanglingReferences(resources) ? danglingReferences(traced().resources, traced().origins) : []),
    ...secretDiagnostics,
  ])
  return {
    resources,
    get diagnostics() {
      return diagnostics()
    },
    provenance: {
      of: (...where) => index().of(...where),
      fieldsOf: (...where) => index().fieldsOf(...where),
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function build(
  snapshot: MeshSnapshot,
  proxy: ProxyDescriptor,
  options: TranslateOptions,
  origins: Origins,
): { resources: ResourceSet; secretDiagnostics: readonly Diagnostic[] } {
  const common = commonOf(snapshot)
  const targets = serviceTargets(snapshot, proxy, common)
  const made = prepare(snapshot, located(proxy, targets), common, options, origins)
  const groups = partsOf(proxy).flatMap((part) => part.groups(made, () => targets))
  const secrets = options.authenticated === false ? undefined : secretsGroup(made, groups)
  return {
    resources: { groups: secrets === undefined ? groups : [...groups, secrets.group] },
    secretDiagnostics: secrets?.diagnostics ?? [],
  }
}

const found = new WeakMap<MeshSnapshot, Memo>()

/** What was found in a snapshot holds for all proxies. */
function commonOf(snapshot: MeshSnapshot): Memo {
  const known = found.get(snapshot) ?? createMemo()
  found.set(snapshot, known)
  return known
}

/** A node that does not say where it is stands where its endpoints are. */
export function located(proxy: ProxyDescriptor, targets: readonly ServiceTarget[]): ProxyDescriptor {
  const place = targets.find((t) => t.locality !== '')?.locality
  return proxy.locality.region !== '' || place === undefined ? proxy : { ...proxy, locality: parseLocality(place) }
}

function prepare(
  snapshot: MeshSnapshot,
  proxy: ProxyDescriptor,
  common: Memo,
  options: TranslateOptions,
  origins: Origins,
): Build {
  const { domainSuffix = CLUSTER_DOMAIN, jwks = () => undefined, features = DEFAULT_FEATURES } = options
  const scope: BuildScope = { snapshot, proxy, common, memo: createMemo(), origins, jwks, domainSuffix, features }
  const sight = sightOf(scope)
  return createBuild(scope, () => sight)
}
