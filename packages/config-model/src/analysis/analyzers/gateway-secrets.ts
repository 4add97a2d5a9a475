import type { SecretSpec } from '../../kinds/kubernetes/secret.js'
import type { Analyzer } from '../analyzer.js'
import { formatSelector } from '../label-index.js'
import { decodeBase64 } from './base64.js'
import { certificateProblem } from './certificate.js'

/** Credentials of Gateways: there, in the namespace of the proxies, and a certificate that is valid now. */
export const gatewaySecrets: Analyzer = {
  name: 'gateway.SecretAnalyzer',
  summary: 'credentials of Gateways that do not exist, or are no valid certificate',
  messages: ['ReferencedResourceNotFound', 'InvalidGatewayCredential'],
  analyze(context, report) {
    for (const gateway of context.of('Gateway')) {
      const { selector, servers } = gateway.spec
      const [proxy] = context.workloads.select(selector)
      if (proxy === undefined) {
        report('ReferencedResourceNotFound', gateway, 'spec.selector', 'selector', formatSelector(selector))
        continue
      }
      servers.forEach(({ tls }, s) => {
        const name = tls?.credentialName ?? ''
        if (name === '') return
        const path = `spec.servers[${s}].tls.credentialName`
        const key = name.includes('/') || proxy.namespace === '' ? name : `${proxy.namespace}/${name}`
        const secret = context.find('Secret', key)
        if (secret === undefined) report('ReferencedResourceNotFound', gateway, path, 'credentialName', name)
        else if (!isValid(secret.spec, context.now))
          report('InvalidGatewayCredential', gateway, path, gateway.metadata.name, proxy.namespace)
      })
    }
  },
}

// The two forms that Istio takes: `tls.crt` and `tls.key`, or `cert` and `key`.
function isValid({ data = {}, stringData = {} }: SecretSpec, now: number): boolean {
  const read = (key: string): string | undefined => {
    const text = stringData[key]
    const encoded = data[key]
    return text ?? (encoded === undefined ? undefined : decodeBase64(encoded))
  }
  const pairs = [
    ['cert', 'key'],
    ['tls.crt', 'tls.key'],
  ] as const
  return pairs.some(([certificate, key]) => {
    const pem = read(certificate) ?? ''
    return pem !== '' && (read(key) ?? '') !== '' && certificateProblem(pem, now) === undefined
  })
}
