import type { ServerTLSSettings } from '../../kinds/common.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { fullName } from '../object.js'

/** One certificate in several Gateways: browsers re-use an HTTP/2 connection for the wrong one and get 404. */
export const gatewayCertificates: Analyzer = {
  name: 'gateway.CertificateAnalyzer',
  summary: 'the same certificate in several Gateways of the same proxies',
  messages: ['GatewayDuplicateCertificate'],
  analyze(context, report) {
    const gateways = context.of('Gateway')
    for (const gateway of gateways) {
      const own = gateway.spec.servers.flatMap(({ tls }) => (tls === undefined ? [] : [tls]))
      if (own.length === 0) continue
      for (const other of gateways) {
        // Its proxies are among ours.
        if (other === gateway || !selects(gateway.spec.selector, other.spec.selector ?? {})) continue
        const shared = own.some((a) => other.spec.servers.some(({ tls: b }) => b !== undefined && sameCertificate(a, b)))
        if (shared) report('GatewayDuplicateCertificate', gateway, 'metadata.name', [fullName(gateway), fullName(other)])
      }
    }
  },
}

function sameCertificate(a: ServerTLSSettings, b: ServerTLSSettings): boolean {
  const named = a.credentialName ?? ''
  if (named !== '' || (b.credentialName ?? '') !== '') return named === b.credentialName
  const file = a.serverCertificate ?? ''
  const key = a.privateKey ?? ''
  return file !== '' && key !== '' && file === b.serverCertificate && key === b.privateKey
}
