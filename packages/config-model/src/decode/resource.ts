import type { Diagnostic, Result } from '@heddle/runtime'
import { suggest } from '@heddle/runtime'
import { KINDS, kindFor, kindsOfGroup } from '../kinds/all.js'
import type { AnyResource } from '../kinds/index.js'
import type { Kind } from '../kinds/kind.js'
import { keyOf, type Resource, type ResourceKey } from '../resource.js'
import { decodeMetadata } from './metadata.js'
import { type Findings, into, refuse, rootSite, type Site, warn } from './site.js'
import { isRecord } from './value.js'

export interface DecodeOptions {
  /** Of namespaced objects that name none; default `default`. */
  defaultNamespace?: string
}

/** An object of a kind that this package does not know: kept as written, with all its fields as `spec`. */
export type OtherResource = Resource<string, Readonly<Record<string, unknown>>>

/** What an object is: of a known kind, or another. */
export type Decoded =
  | { readonly known: true; readonly resource: AnyResource }
  | { readonly known: false; readonly resource: OtherResource }

/** Reads and judges one object. `subject` of the diagnostics is its key, as far as it has one. */
export function decodeResource(object: unknown, options: DecodeOptions = {}): Result<Decoded> {
  const root = rootSite()
  const { defaultNamespace = 'default' } = options
  const decoded = decode(object, defaultNamespace, root.found)
  const unread = root.found.length
  if (decoded?.known === true && root.found.moved !== true) judge(decoded.resource, root)
  const diagnostics = withSubject(withoutEchoes(root.found, unread), subjectOf(object, decoded, defaultNamespace))
  if (decoded === undefined || diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics }
  return { ok: true, value: decoded, diagnostics }
}

/**
 * An object as far as it can be read, whether its rules hold or not: unknown fields are passed over and what is missing is empty. Undefined
 * when a field of one of Istio's kinds has a value of the wrong type, since then Istio reads nothing of it; of other kinds such a field is left out.
 */
export function decodeLoosely(object: unknown, { defaultNamespace = 'default' }: DecodeOptions = {}): Decoded | undefined {
  const found: Findings = Object.assign([], { lenient: true })
  const decoded = decode(object, defaultNamespace, found)
  const istio = isRecord(object) && /\.istio\.io\//.test(String(object['apiVersion']))
  const unreadable = istio && found.some(({ severity, code }) => severity === 'error' && !PASSED_OVER.has(code))
  return unreadable ? undefined : decoded
}

const PASSED_OVER: ReadonlySet<string> = new Set(['config.unknown_field', 'config.required'])

function decode(object: unknown, defaultNamespace: string, found: Findings): Decoded | undefined {
  const root = rootSite(found)
  if (!isRecord(object)) {
    refuse(root, 'config.not_an_object', 'is not a Kubernetes object: write apiVersion, kind and metadata')
    return undefined
  }
  const { apiVersion, kind: name } = object
  if (typeof apiVersion !== 'string' || apiVersion === '')
    refuse(into(root, 'apiVersion'), 'config.required', 'apiVersion is required, such as networking.istio.io/v1')
  if (typeof name !== 'string' || name === '')
    refuse(into(root, 'kind'), 'config.required', 'kind is required, such as VirtualService')
  if (typeof apiVersion !== 'string' || typeof name !== 'string' || name === '') return undefined
  const kind = kindFor(apiVersion, name)
  const metadata = decodeMetadata(object['metadata'], into(root, 'metadata'), kind?.namespaced ?? true, defaultNamespace)
  if (metadata === undefined) return undefined
  if (kind === undefined) {
    warnOfUnknownKind(apiVersion, name, into(root, 'kind'))
    return { known: false, resource: { kind: name, metadata, spec: object } }
  }
  const { apiVersion: _v, kind: _k, metadata: _m, ...body } = object
  const site = kind.body === 'spec' ? into(root, 'spec') : root
  const spec = kind.spec(kind.body === 'spec' ? (object['spec'] ?? {}) : body, site)
  if (spec === undefined) return undefined
  const resource =
    kind.body === 'spec' && isRecord(object['status'])
      ? { kind: kind.name, metadata, spec, status: object['status'] }
      : { kind: kind.name, metadata, spec }
  return { known: true, resource: resource as AnyResource }
}

/** Of Istio's own groups all kinds are known here, so that another is a slip of the pen, and has no effect. */
function warnOfUnknownKind(apiVersion: string, name: string, site: Site): void {
  const [group = ''] = apiVersion.split('/')
  const kinds = group.endsWith('.istio.io') ? kindsOfGroup(group) : []
  if (kinds.length === 0) return
  const meant = suggest(name, kinds)
  const help = meant === undefined ? `there are ${kinds.join(', ')}` : `did you mean ${meant}?`
  warn(site, 'config.unknown_kind', `${group} has no kind ${name}, so this has no effect: ${help}`)
}

function judge(resource: AnyResource, root: Site): void {
  const kind = KINDS[resource.kind] as unknown as Kind
  const dryRun = resource.metadata.annotations['istio.io/dry-run']
  if (
    dryRun !== undefined &&
    resource.kind !== 'AuthorizationPolicy' &&
    kind.groups.some((group) => group.endsWith('.istio.io'))
  ) {
    const message = 'unsupported annotation istio.io/dry-run, please remove the annotation: only an AuthorizationPolicy has it'
    refuse(into(into(into(root, 'metadata'), 'annotations'), 'istio.io/dry-run'), 'config.no_effect', message)
  }
  kind.validate?.(resource, kind.body === 'spec' ? into(root, 'spec') : root)
}

// Judging goes on after a field could not be read, so that all problems are told at once. What it then says about that very field or
// what is in it, or that something around it is empty, is only an echo.
function withoutEchoes(found: readonly Diagnostic[], unread: number): Diagnostic[] {
  const broken = found.slice(0, unread).filter(({ severity }) => severity === 'error')
  return found.filter(({ code, path }, i) => {
    if (i < unread) return true
    return !broken.some((one) => within(path, one.path) || (code === 'config.required' && within(one.path, path)))
  })
}

function within(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)
}

// The key, also of an object that could not be read, so that its last good version can be kept.
function subjectOf(object: unknown, decoded: Decoded | undefined, defaultNamespace: string): ResourceKey | undefined {
  if (decoded !== undefined) return keyOf(decoded.resource)
  if (!isRecord(object) || !isRecord(object['metadata'])) return undefined
  const { kind, apiVersion } = object
  const { name, namespace } = object['metadata']
  if (typeof kind !== 'string' || typeof name !== 'string' || name === '') return undefined
  const known = kindFor(typeof apiVersion === 'string' ? apiVersion : '', kind)
  const namespaced = known?.namespaced ?? true
  return `${known?.name ?? kind} ${namespaced ? (typeof namespace === 'string' ? namespace : defaultNamespace) : ''}/${name}`
}

function withSubject(found: readonly Diagnostic[], subject: string | undefined): Diagnostic[] {
  return subject === undefined ? [...found] : found.map((diagnostic) => ({ ...diagnostic, subject }))
}
