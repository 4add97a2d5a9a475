import type { Analyzer } from '../analyzer.js'
import { fullName } from '../object.js'

const VARIABLE = 'BLOCKED_CIDRS_IN_JWKS_URIS'
const SHOWN = 5

/** An istiod that fetches whatever a jwksUri names. */
export const blockedCidrs: Analyzer = {
  name: 'authn.BlockedCIDRsAnalyzer',
  summary: `${VARIABLE} of istiod where there are RequestAuthentications`,
  messages: ['JwksUriFetchUnrestricted'],
  analyze(context, report) {
    const names = context.of('RequestAuthentication').map(fullName)
    if (names.length === 0) return
    const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : ''
    for (const deployment of context.of('Deployment')) {
      if (deployment.metadata.labels['app'] !== 'istiod') continue
      const containers = deployment.spec.template?.spec?.containers ?? []
      const set = containers.some(({ env }) => Array.isArray(env) && env.some(isSet))
      if (!set) report('JwksUriFetchUnrestricted', deployment, '', names.length, names.slice(0, SHOWN).join(', ') + more)
    }
  },
}

function isSet(variable: { name?: unknown; value?: unknown } | null): boolean {
  return variable?.name === VARIABLE && typeof variable.value === 'string' && variable.value !== ''
}
