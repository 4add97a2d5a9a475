import type { LabelSelector } from '../../kinds/common.js'
import { matchesSelector } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { type ConfigObject, fullName } from '../object.js'
import { ADMISSION, type Webhook, webhooksOf } from './webhook-configuration.js'

type Labels = Readonly<Record<string, string>>

const REVISION = 'istio.io/rev'
const NAMESPACE_LABELS: readonly Labels[] = [{}, { 'istio-injection': 'enabled' }, { 'istio-injection': 'disabled' }]
const OBJECT_LABELS: readonly Labels[] = [{}, { 'sidecar.istio.io/inject': 'true' }, { 'sidecar.istio.io/inject': 'false' }]

interface NamedWebhook {
  readonly object: ConfigObject
  readonly index: number
  readonly hook: Webhook
  /** `configuration/webhook`. */
  readonly name: string
}

/** Injectors: each pod must meet one at most, and it must lead to a control plane that is there. */
export const webhooks: Analyzer = {
  name: 'webhook.Analyzer',
  summary: 'injection webhooks that overlap, or that lead to a Service that does not exist',
  messages: ['InvalidWebhook'],
  analyze(context, report) {
    const configurations = context.ofGroup(ADMISSION, 'MutatingWebhookConfiguration').filter(isIstio)
    const all: NamedWebhook[] = configurations.flatMap((object) =>
      webhooksOf(object).map((hook, index) => ({ object, index, hook, name: `${fullName(object)}/${hook.name}` })),
    )
    const revisions = [...new Set(configurations.flatMap(revisionsOf))]
    for (const namespace of withRevisions(NAMESPACE_LABELS, revisions)) {
      for (const object of withRevisions(OBJECT_LABELS, revisions)) {
        const matching = all.filter(
          ({ hook }) =>
            matchesSelector(hook.namespaceSelector ?? {}, namespace) && matchesSelector(hook.objectSelector ?? {}, object),
        )
        if (new Set(matching.map(({ name }) => name)).size < 2) continue
        for (const one of matching) {
          const others = matching.flatMap(({ name }) => (name === one.name ? [] : [name])).join(' ')
          const text = `Webhook overlaps with others: [${others}]. This may cause injection to occur twice.`
          report('InvalidWebhook', one.object, `webhooks[${one.index}]`, text)
        }
      }
    }
    for (const { object, index, hook } of all) {
      if (hook.service === undefined) continue
      const service = `${hook.service.namespace}/${hook.service.name}`
      if (context.find('Service', service) !== undefined) continue
      const text = `Injector refers to a control plane service that does not exist: ${service}.`
      report('InvalidWebhook', object, `webhooks[${index}].clientConfig.service`, text)
    }
  },
}

function isIstio(object: ConfigObject): boolean {
  return revisionsOf(object).length > 0 || webhooksOf(object).some(({ name }) => name.endsWith('istio.io'))
}

function revisionsOf(object: ConfigObject): string[] {
  const own = object.metadata.labels[REVISION]
  const selected = webhooksOf(object).flatMap(({ namespaceSelector, objectSelector }) =>
    [namespaceSelector, objectSelector].flatMap(revisionsIn),
  )
  return own === undefined ? selected : [own, ...selected]
}

function revisionsIn({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string[] {
  const exact = matchLabels[REVISION]
  const listed = matchExpressions.flatMap(({ key, values = [] }) => (key === REVISION ? values : []))
  return exact === undefined ? listed : [exact, ...listed]
}

function withRevisions(labels: readonly Labels[], revisions: readonly string[]): readonly Labels[] {
  return [...labels, ...revisions.flatMap((revision) => labels.map((base) => ({ ...base, [REVISION]: revision })))]
}
