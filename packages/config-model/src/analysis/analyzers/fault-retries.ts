import type { Analyzer } from '../analyzer.js'

/** Rules with an abort and retries: the fault answers before the router, which is who retries. */
export const faultRetries: Analyzer = {
  name: 'heddle.FaultRetryAnalyzer',
  summary: 'rules whose retries do not retry the fault of the same rule',
  messages: ['FaultIsNotRetried'],
  analyze(context, report) {
    for (const service of context.of('VirtualService')) {
      service.spec.http?.forEach(({ fault, retries }, r) => {
        const aborts = fault?.abort !== undefined && fault.abort.percentage?.value !== 0
        if (aborts && retries !== undefined && retries.attempts !== 0)
          report('FaultIsNotRetried', service, `spec.http[${r}].retries`)
      })
    }
  },
}
