import type { Diagnostic } from '@heddle/runtime'
import type { AnyResource } from '../kinds/index.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import type { MeshNetworks } from '../kinds/mesh-networks.js'
import { locate } from '../origins.js'
import { compareText } from '../sorted-list.js'
import type { Analyzer, Report } from './analyzer.js'
import { ANALYZERS } from './analyzers/index.js'
import { type AnalysisContext, type ClusterFacts, createContext } from './context.js'
import { defaultObjects } from './default-objects.js'
import { formatMessage, MESSAGES, type MessageArgument, type MessageName } from './messages.js'
import { type ConfigObject, friendlyName } from './object.js'
import { type ConfigFile, type ConfigObjects, objectsOf, readObjects } from './objects.js'
import { createSuppressor, type Suppression, suppressesItself } from './suppress.js'

/** A message of an analyzer. `subject` is the object as Istio names it: `VirtualService shop/cart`, `Namespace shop`. */
export interface AnalysisMessage extends Diagnostic {
  /** `ReferencedResourceNotFound`. */
  readonly name: MessageName
  /** Who tells it. */
  readonly analyzer: string
}

export interface AnalysisOptions {
  /** Milliseconds since the epoch: whether certificates have expired. */
  now: number
  /** Of namespaced objects that name none; default `default`. */
  defaultNamespace?: string
  /** Default: that of the ConfigMap `istio` among the objects, else Istio's. */
  meshConfig?: MeshConfig
  /** Default: those of the ConfigMap `istio` among the objects. */
  meshNetworks?: MeshNetworks
  /** Default {@link ANALYZERS}. */
  analyzers?: readonly Analyzer[]
  suppressions?: readonly Suppression[]
  /** Whether the ingress gateway that an installation has is taken as given; default true. */
  defaults?: boolean
  /** What a look at the live cluster has shown. */
  cluster?: ClusterFacts
}

/** Analyzes files. Those that cannot be read are told, as `SchemaValidationError`; the rest is analyzed. Sorted by level, then code, then object. */
export function analyzeFiles(files: Iterable<ConfigFile>, options: AnalysisOptions): readonly AnalysisMessage[] {
  return run(readObjects(files, options.defaultNamespace ?? 'default'), options)
}

/** Analyzes decoded resources, such as those of a store: without validation's messages, and without places. */
export function analyzeResources(resources: Iterable<AnyResource>, options: AnalysisOptions): readonly AnalysisMessage[] {
  return run(objectsOf(resources), options)
}

function run({ objects, problems }: ConfigObjects, options: AnalysisOptions): readonly AnalysisMessage[] {
  const { analyzers = ANALYZERS, suppressions = [], defaults = true, now, meshConfig, meshNetworks, cluster } = options
  const written = createContext({ objects, problems, now, meshConfig, meshNetworks, cluster })
  const given = defaults ? missing(defaultObjects(written.meshConfig), written) : []
  const { meshConfig: mesh, meshNetworks: networks } = written
  const context = createContext({
    objects: [...given, ...objects],
    problems,
    now,
    meshConfig: mesh,
    meshNetworks: networks,
    cluster,
  })
  const messages = new Map<string, AnalysisMessage>()
  const isSuppressed = createSuppressor(suppressions)
  for (const analyzer of analyzers) {
    const report: Report = (name, about, path, ...args) => {
      const message = messageOf(analyzer, name, about, path, args)
      const { code, subject = '', origin } = message
      if ('metadata' in about && (suppressesItself(about.metadata.annotations, code) || isSuppressed(code, namesOf(about))))
        return
      // Told twice is told once, as in Istio.
      messages.set(`${code} ${subject} ${origin?.file ?? ''} ${path} ${message.message}`, message)
    }
    try {
      analyzer.analyze(context, report)
    } catch (error) {
      report('InternalError', NOBODY, '', `${analyzer.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return [...messages.values()].sort(compareMessages)
}

// A bug of an analyzer is about no object.
const NOBODY: Diagnostic = { code: '', severity: 'error', message: '', path: '' }

function messageOf(
  { name: analyzer }: Analyzer,
  name: MessageName,
  about: ConfigObject | Diagnostic,
  path: string,
  args: readonly MessageArgument[],
): AnalysisMessage {
  const [severity, code, template] = MESSAGES[name]
  return { ...aboutOf(about, path), code, severity, name, analyzer, path, message: formatMessage(template, args) }
}

function missing(given: readonly ConfigObject[], { find }: AnalysisContext): ConfigObject[] {
  return given.filter(
    ({ known, metadata }) => known === undefined || find(known, `${metadata.namespace}/${metadata.name}`) === undefined,
  )
}

function aboutOf(about: ConfigObject | Diagnostic, path: string): Pick<AnalysisMessage, 'subject' | 'origin'> {
  if (!('metadata' in about)) {
    const { subject, origin } = about
    return { ...(subject === undefined ? {} : { subject }), ...(origin === undefined ? {} : { origin }) }
  }
  return { subject: friendlyName(about), ...(about.document === undefined ? {} : { origin: locate(about.document, path) }) }
}

function namesOf(object: ConfigObject): string[] {
  const { name, namespace } = object.metadata
  return [friendlyName(object), `${object.kind} ${name}.${namespace}`]
}

const RANK = { error: 0, warning: 1, info: 2 } as const

function compareMessages(a: AnalysisMessage, b: AnalysisMessage): number {
  return (
    RANK[a.severity] - RANK[b.severity] ||
    compareText(a.code, b.code) ||
    compareText(a.subject ?? '', b.subject ?? '') ||
    compareText(a.origin?.file ?? '', b.origin?.file ?? '') ||
    (a.origin?.line ?? 0) - (b.origin?.line ?? 0) ||
    compareText(a.message, b.message)
  )
}
