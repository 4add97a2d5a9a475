import type { MeshSnapshot } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import { type BuildScope, createBuild, type JwksSource, type Sight, sightOf } from './build.js'
import { danglingReferences, hasDanglingReferences } from './check.js'
import { createMemo, type Memo } from './memo.js'
import { SECRET_TYPE } from './message.js'
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
  /** Type URLs of the resources that are wanted: of others nothing is made. Default: all. */
  readonly types?: readonly string[]
}

export interface Translation {
  readonly resources: ResourceSet
  readonly diagnostics: readonly Diagnostic[]
  /** Which objects of the user are behind a resource or one of its fields. */
  readonly provenance: ProvenanceIndex
}

/** What istiod would send this proxy for this mesh. Pure: no clock, no I/O, nothing remembered that could be seen. */
export function translate(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options: TranslateOptions = {}): Translation {
  const { types, ...whole } = options
  const { resources, secretDiagnostics } = build(snapshot, proxy, options, NO_ORIGINS)
  // Keeping where each message came from costs as much as making it: it is made again with marks when somebody wants to know.
  const traced = once(() => {
    const origins = createOrigins()
    return { origins, resources: build(snapshot, proxy, whole, origins).resources }
  })
  const index = once(() => createProvenanceIndex(traced().resources, traced().origins))
  const diagnostics = once(() => [
    ...(types !== undefined || hasDanglingReferences(resources) ? danglingReferences(traced().resources, traced().origins) : []),
    ...secretDiagnostics,
  ])
  return new LazyTranslation(resources, diagnostics, {
    of: (...where) => index().of(...where),
    fieldsOf: (...where) => index().fieldsOf(...where),
  })
}

/** A class, for V8 keeps the getter of an object literal, and with it all that was translated, until the old generation is collected. */
class LazyTranslation implements Translation {
  readonly resources: ResourceSet
  readonly provenance: ProvenanceIndex
  readonly #diagnostics: () => readonly Diagnostic[]

  constructor(resources: ResourceSet, diagnostics: () => readonly Diagnostic[], provenance: ProvenanceIndex) {
    this.resources = resources
    this.provenance = provenance
    this.#diagnostics = diagnostics
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics()
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
  const { targets, sight, ...known } = findingsOf(snapshot, proxy, options)
  const { jwks = () => undefined, authenticated = true } = options
  const types = options.types === undefined ? undefined : new Set(options.types)
  const made = createBuild({ ...known, memo: createMemo(), origins, jwks, types }, () => sight)
  const groups = partsOf(proxy).flatMap((part) => part.groups(made, () => targets))
  const secrets = authenticated && (types === undefined || types.has(SECRET_TYPE)) ? secretsGroup(made, groups) : undefined
  return {
    resources: { groups: secrets === undefined ? groups : [...groups, secrets.group] },
    secretDiagnostics: secrets?.diagnostics ?? [],
  }
}

/** What is found out before anything is made: of the mesh, and of a proxy in it. It holds as long as the snapshot lives. */
interface Findings extends Pick<BuildScope, 'snapshot' | 'proxy' | 'common' | 'found' | 'domainSuffix' | 'features'> {
  readonly targets: readonly ServiceTarget[]
  readonly sight: Sight
}

const found = new WeakMap<MeshSnapshot, { readonly common: Memo; readonly proxies: WeakMap<ProxyDescriptor, Findings> }>()

function findingsOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options: TranslateOptions): Findings {
  const { domainSuffix = CLUSTER_DOMAIN, features = DEFAULT_FEATURES } = options
  const inMesh = found.get(snapshot) ?? { common: createMemo(), proxies: new WeakMap<ProxyDescriptor, Findings>() }
  found.set(snapshot, inMesh)
  const known = inMesh.proxies.get(proxy)
  if (known !== undefined && known.domainSuffix === domainSuffix && known.features === features) return known
  const { common } = inMesh
  const targets = serviceTargets(snapshot, proxy, common)
  const scope = { snapshot, proxy: located(proxy, targets), common, found: createMemo(), domainSuffix, features }
  const fresh = { ...scope, targets, sight: sightOf(scope) }
  inMesh.proxies.set(proxy, fresh)
  return fresh
}

/** A proxy stands where its endpoints are: registries know it better than its node, which has the say where they know nothing. */
export function located(proxy: ProxyDescriptor, targets: readonly ServiceTarget[]): ProxyDescriptor {
  const place = targets.find((t) => t.locality !== '')?.locality
  return place === undefined ? proxy : { ...proxy, locality: parseLocality(place) }
}
