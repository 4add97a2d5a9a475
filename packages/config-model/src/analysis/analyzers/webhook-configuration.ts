import { isRecord } from '../../decode/value.js'
import type { LabelSelector } from '../../kinds/common.js'
import type { ConfigObject } from '../object.js'

/** One webhook of a MutatingWebhookConfiguration or ValidatingWebhookConfiguration: the part that matters here. */
export interface Webhook {
  readonly name: string
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string }
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
}

export const ADMISSION = 'admissionregistration.k8s.io'

/** The webhooks of a configuration, in their order. What has the wrong shape is left out. */
export function webhooksOf({ written }: ConfigObject): Webhook[] {
  const { webhooks } = written
  if (!Array.isArray(webhooks)) return []
  return webhooks.filter(isRecord).map((hook) => {
    const client = isRecord(hook['clientConfig']) ? hook['clientConfig'] : {}
    const { url, service } = client
    return {
      name: textOf(hook['name']),
      ...(typeof url === 'string' ? { url } : {}),
      ...(isRecord(service) ? { service: { namespace: textOf(service['namespace']), name: textOf(service['name']) } } : {}),
      ...(isRecord(hook['namespaceSelector']) ? { namespaceSelector: hook['namespaceSelector'] as LabelSelector } : {}),
      ...(isRecord(hook['objectSelector']) ? { objectSelector: hook['objectSelector'] as LabelSelector } : {}),
    }
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
