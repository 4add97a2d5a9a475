import type { Counter, Result } from '@heddle/runtime'
import type { RBAC, RBACPerRoute } from '@heddle/xds-types/envoy/extensions/filters/http/rbac/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, FilterQuestion, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import type { DynamicMetadata } from '../../matcher/value.js'
import type { SocketAddress } from '../../net/connection.js'
import { HTTP_LABEL, RBAC_LABEL, RBAC_POLICY_LABEL } from '../../observe/labels.js'
import { compileEngine } from '../../rbac/compile.js'
import { denialDetails, enforcedMetadata, MARKS, shadowMetadata } from '../../rbac/details.js'
import type { RbacEngine } from '../../rbac/engine.js'
import type { RbacQuestion } from '../../rbac/question.js'
import { hostOf } from '../address-text.js'
import { connectionQuestion } from '../network/rbac.js'

export interface RbacConfig {
  /** Undefined: nothing is enforced. */
  readonly rules?: RbacEngine
  readonly shadow?: RbacEngine
  readonly rulesPrefix: string
  readonly shadowPrefix: string
  /** Each policy has counters of its own. */
  readonly perRuleStats: boolean
}

const NAMESPACE = 'envoy.filters.http.rbac'
/** Where all filters of a chain tell access logs whether a request is worth a line. */
const COMMON = 'envoy.common'
const OFF: RbacConfig = { rulesPrefix: '', shadowPrefix: '', perRuleStats: false }

/** envoy.filters.http.rbac. A 403 tells the caller nothing; details, log and metadata tell the operator which policy decided. */
export const rbacFilter: HttpFilterFactory<RbacConfig> = {
  typeNames: ['envoy.extensions.filters.http.rbac.v3.RBAC'],
  perRouteTypeNames: ['envoy.extensions.filters.http.rbac.v3.RBACPerRoute'],
  decode: (config, path) => compileMessage(config as RBAC, path, compile),
  decodePerRoute: (config, path): Result<RbacConfig> =>
    compileMessage(config as RBACPerRoute, path, (fields) => {
      const inner = fields.message('rbac')
      const compiled = inner === undefined ? OFF : compile(inner)
      fields.done()
      return compiled
    }),
  create(config, deps, name) {
    const { rulesPrefix, shadowPrefix } = config
    // A route's rules are counted where the filter's are.
    const counters = { ...countersOf(deps), rulesPrefix, shadowPrefix }
    return (stream) => createFilter((stream.perRouteConfig(name) as RbacConfig | undefined) ?? config, counters, deps)
  },
  explain(config, question) {
    const { rules, shadow, rulesPrefix, shadowPrefix } = (question.perRoute as RbacConfig | undefined) ?? config
    const rehearsed = shadow && explainShadow(shadow, shadowPrefix, question)
    if (rules === undefined) return rehearsed === undefined ? undefined : { outcome: 'pass', reason: rehearsed }
    const verdict = rules.explain(questionOf(question))
    const { allowed, policy, reason: enforced } = verdict
    remember(question, enforcedMetadata(rulesPrefix, verdict))
    const reason = rehearsed === undefined ? enforced : `${enforced}; ${rehearsed}`
    return allowed ? { outcome: 'pass', reason } : { outcome: 'reply', reason, reply: denial(policy) }
  },
}

function compile(fields: Fields<RBAC>): RbacConfig {
  const rules = compileEngine(fields.message('rules'), fields.message('matcher'))
  const shadow = compileEngine(fields.message('shadow_rules'), fields.message('shadow_matcher'))
  const config: RbacConfig = {
    ...(rules && { rules }),
    ...(shadow && { shadow }),
    rulesPrefix: fields.string('rules_stat_prefix'),
    shadowPrefix: fields.string('shadow_rules_stat_prefix'),
    perRuleStats: fields.boolean('track_per_rule_stats'),
  }
  fields.done()
  return config
}

type Verdict = 'allowed' | 'denied'

interface Counters {
  /** Of the rules; `prefix` is rules_stat_prefix, `policy` the one that is counted by itself. */
  judged(verdict: Verdict, prefix: string, policy: string | undefined): void
  /** Of the shadow rules; `prefix` is shadow_rules_stat_prefix. */
  rehearsed(verdict: Verdict, prefix: string, policy: string | undefined): void
}

interface FilterCounters extends Counters {
  readonly rulesPrefix: string
  readonly shadowPrefix: string
}

function countersOf({ stats, statPrefix = '' }: FilterDeps): Counters {
  const help = "Envoy's http rbac statistics."
  /** Prefixes are few: those of the filter and of routes that have their own. */
  const known = new Map<string, Map<string, Counter>>()
  const find = (name: string, prefix: string, policy: string | undefined): Counter => {
    const own = prefix.replace(/\.$/, '')
    if (policy === undefined)
      return stats.counter(`envoy_http_rbac_${name}`, help, [HTTP_LABEL, RBAC_LABEL]).labels(statPrefix, own)
    const family = stats.counter(`envoy_http_rbac_policy_${name}`, help, [HTTP_LABEL, RBAC_LABEL, RBAC_POLICY_LABEL])
    return family.labels(statPrefix, own, policy)
  }
  const count = (name: string, prefix: string, policy?: string): void => {
    let counters = known.get(prefix)
    if (counters === undefined) known.set(prefix, (counters = new Map()))
    const key = policy === undefined ? name : `${name} ${policy}`
    let counter = counters.get(key)
    if (counter === undefined) counters.set(key, (counter = find(name, prefix, policy)))
    counter.inc()
  }
  const countBoth = (name: string, prefix: string, policy: string | undefined): void => {
    count(name, prefix)
    if (policy !== undefined) count(name, prefix, policy)
  }
  return {
    judged: countBoth,
    rehearsed: (verdict, prefix, policy) => countBoth(`shadow_${verdict}`, prefix, policy),
  }
}

function createFilter(config: RbacConfig, counters: FilterCounters, { logger }: FilterDeps): HttpFilter {
  const { rules, shadow, rulesPrefix } = config
  return {
    onRequest(request, stream) {
      const question = new StreamQuestion(request, stream)
      if (shadow !== undefined) rehearse(shadow, config, question, stream, counters, logger)
      if (rules === undefined) return
      const verdict = rules.evaluate(question)
      const { allowed, policy, logged } = verdict
      remember(stream.info, enforcedMetadata(rulesPrefix, verdict))
      counters.judged(allowed ? 'allowed' : 'denied', counters.rulesPrefix, config.perRuleStats ? policy : undefined)
      if (logged !== undefined) stream.info.metadata.set(COMMON, { ...stream.info.metadata.get(COMMON), access_log_hint: logged })
      if (allowed) return
      logger.info(
        {
          policy: policy ?? 'none',
          method: request.method,
          path: request.path,
          client: question.source,
          // Told only where it is written down: to find the nearest of a thousand policies takes a while.
          get why() {
            return rules.explain(question).reason
          },
        },
        'rbac: access denied',
      )
      return denial(policy)
    },
  }
}

function rehearse(
  shadow: RbacEngine,
  { shadowPrefix: prefix, perRuleStats }: RbacConfig,
  question: RbacQuestion,
  stream: HttpStream,
  counters: FilterCounters,
  logger: FilterDeps['logger'],
): void {
  const verdict = shadow.evaluate(question)
  const { allowed, policy } = verdict
  counters.rehearsed(allowed ? 'allowed' : 'denied', counters.shadowPrefix, perRuleStats ? policy : undefined)
  remember(stream.info, shadowMetadata(prefix, verdict))
  if (allowed || prefix.startsWith(MARKS)) return
  const { method, path } = stream.request
  const told = {
    ...{ policy: policy ?? 'none', method, path, client: question.source },
    get why() {
      return shadow.explain(question).reason
    },
  }
  logger.info(told, 'rbac: denied in a dry run, and let pass')
}

function explainShadow(shadow: RbacEngine, prefix: string, question: FilterQuestion): string {
  const verdict = shadow.explain(questionOf(question))
  const { allowed, reason } = verdict
  remember(question, shadowMetadata(prefix, verdict))
  return prefix.startsWith(MARKS) ? reason : `in a dry run ${allowed ? 'allowed' : 'denied'}: ${reason}`
}

function remember({ metadata }: Pick<HttpStream['info'], 'metadata'>, values: Readonly<Record<string, unknown>>): void {
  metadata.set(NAMESPACE, { ...metadata.get(NAMESPACE), ...values })
}

function denial(policy: string | undefined): LocalReply {
  return { status: 403, body: 'RBAC: access denied', details: denialDetails(policy) }
}

/** What most policies do not ask for is worked out when one does. */
class StreamQuestion implements RbacQuestion {
  readonly head: HttpRequest
  readonly info: HttpStream['info']
  readonly authenticated: boolean
  readonly #connection: HttpStream['connection']
  #principals: readonly string[] | undefined = undefined

  constructor(request: HttpRequest, { connection, info }: HttpStream) {
    this.head = request
    this.info = info
    this.authenticated = connection.tls?.peerVerified === true
    this.#connection = connection
  }

  get directSource(): string {
    return (this.#connection.directRemote ?? this.#connection.remote).address
  }

  get source(): string {
    return hostOf(this.info.downstreamRemote)
  }

  get destination(): SocketAddress {
    return this.#connection.originalDestination ?? this.#connection.local
  }

  get serverName(): string {
    return this.info.sni ?? ''
  }

  get principals(): readonly string[] {
    const { tls } = this.#connection
    this.#principals ??= this.authenticated && tls !== undefined ? principalsOf(tls.peerUris, tls.peer) : []
    return this.#principals
  }

  get metadata(): DynamicMetadata {
    return this.info.metadata
  }
}

/** URI SANs, DNS SANs and the subject: principal_name may fit any of them. */
function principalsOf(
  uris: readonly string[],
  peer: { readonly dns: readonly string[]; readonly subject: string } | undefined,
): readonly string[] {
  if (peer === undefined) return uris
  return [...uris, ...peer.dns, ...(peer.subject === '' ? [] : [peer.subject])]
}

function questionOf({ head, facts, client, metadata }: FilterQuestion): RbacQuestion {
  return { ...connectionQuestion(facts), head, source: client, metadata }
}
