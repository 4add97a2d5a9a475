import type { ClientTLSSettings } from '../../kinds/common.js'
import type { Analyzer } from '../analyzer.js'
import { fullName } from '../object.js'

/** TLS to an upstream whose certificate nobody verifies. */
export const caCertificates: Analyzer = {
  name: 'destinationrule.CaCertificateAnalyzer',
  summary: 'DestinationRules with TLS mode SIMPLE or MUTUAL and no caCertificates',
  messages: ['NoServerCertificateVerificationDestinationLevel', 'NoServerCertificateVerificationPortLevel'],
  analyze(context, report) {
    for (const rule of context.of('DestinationRule')) {
      const { trafficPolicy, host, workloadSelector } = rule.spec
      // A credential of a workload comes with its CA; without a selector sidecars do not take it.
      const unverified = (tls: ClientTLSSettings | undefined): tls is ClientTLSSettings =>
        (tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') &&
        (tls.caCertificates ?? '') === '' &&
        ((tls.credentialName ?? '') === '' || workloadSelector === undefined)
      const about = [fullName(rule), rule.metadata.namespace] as const
      const tls = trafficPolicy?.tls
      if (unverified(tls))
        report('NoServerCertificateVerificationDestinationLevel', rule, 'spec.trafficPolicy.tls', ...about, tls.mode, host)
      trafficPolicy?.portLevelSettings?.forEach((settings, p) => {
        if (!unverified(settings.tls)) return
        const path = `spec.trafficPolicy.portLevelSettings[${p}].tls`
        const port = `number:${settings.port.number}`
        report('NoServerCertificateVerificationPortLevel', rule, path, ...about, settings.tls.mode, host, port)
      })
    }
  },
}
