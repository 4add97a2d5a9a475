import { isIpAddress } from '../../names/ip.js'
import type { Analyzer, Report } from '../analyzer.js'
import type { ConfigObject } from '../object.js'
import { ADMISSION, type Webhook, webhooksOf } from './webhook-configuration.js'

/** Webhooks of a control plane in another cluster. Names are not looked up: an analysis asks nobody. */
export const externalControlPlane: Analyzer = {
  name: 'externalcontrolplane.ExternalControlPlaneAnalyzer',
  summary: 'addresses of webhooks that lead to a control plane elsewhere',
  messages: ['InvalidExternalControlPlaneConfig', 'ExternalControlPlaneAddressIsNotAHostname'],
  analyze(context, report) {
    for (const object of context.ofGroup(ADMISSION, 'ValidatingWebhookConfiguration')) {
      const { name } = object.metadata
      if (name === 'istiod-default-validator' || name.startsWith('istio-validator')) checkAll(object, report)
    }
    for (const object of context.ofGroup(ADMISSION, 'MutatingWebhookConfiguration')) {
      if (object.metadata.name.startsWith('istio-sidecar-injector')) checkAll(object, report)
    }
  },
}

function checkAll(object: ConfigObject, report: Report): void {
  webhooksOf(object).forEach(({ name, url, service }: Webhook, w) => {
    const path = `webhooks[${w}].clientConfig.url`
    if (url === undefined) {
      if (service === undefined) report('InvalidExternalControlPlaneConfig', object, path, '', name, 'is blank')
      return
    }
    const host = hostOf(url)
    if (host === undefined)
      report('InvalidExternalControlPlaneConfig', object, path, url, name, 'was provided in an invalid format')
    else if (isIpAddress(host)) report('ExternalControlPlaneAddressIsNotAHostname', object, path, url, name)
  })
}

// Of `scheme://host:port/path`.
function hostOf(url: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1]
  if (authority === undefined || /[\s%]/.test(authority)) return undefined
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)
  if (bracketed !== null) return bracketed[1]
  return /^([^:]+)(?::\d*)?$/.exec(host)?.[1]
}
