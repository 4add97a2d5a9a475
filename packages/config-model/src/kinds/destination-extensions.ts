import { CODE } from '../checks/code.js'
import { fields } from '../decode/fields.js'
import { into, refuse, rootSite, type Site } from '../decode/site.js'
import { duration, int32, listOf, oneOf, text } from '../decode/value.js'
import { loadDocument } from '../yaml/load.js'
import type { DestinationRule } from './destination-rule.js'

/** Annotation of a DestinationRule: {@link DestinationHealthCheck} as YAML. */
export const HEALTH_CHECK_ANNOTATION = 'heddle.dev/health-check'
/** Annotation of a DestinationRule: {@link DestinationRateLimit} as YAML. */
export const RATE_LIMIT_ANNOTATION = 'heddle.dev/local-rate-limit'

/** Active health checks of a destination's endpoints, made by each client's proxy. Times in milliseconds. */
export interface DestinationHealthCheck {
  /** Default TCP: a connection that is made is health. */
  protocol: 'TCP' | 'HTTP' | 'GRPC'
  /** HTTP: what is asked for; default `/`. */
  path: string
  /** HTTP: the Host to ask with; default the cluster's name. */
  host?: string
  /** GRPC: the service to ask about; default the whole server. */
  service?: string
  /** HTTP: statuses that mean health; default 200. */
  expectedStatuses?: readonly number[]
  /** Default 10 s. */
  interval: number
  /** Default 1 s. */
  timeout: number
  /** Failures in a row until an endpoint gets nothing more; default 3. An HTTP status that is not expected counts at once. */
  unhealthyThreshold: number
  /** Successes in a row until it gets requests again; default 1. */
  healthyThreshold: number
}

/** A token bucket that each client's proxy keeps for each route to the destination. */
export interface DestinationRateLimit {
  /** How many requests may come at once. */
  maxTokens: number
  /** What comes back each interval; default all of them. */
  tokensPerFill?: number
  /** Milliseconds, at least 50; default 1 s. */
  fillInterval: number
  /** Of refused requests; default 429. */
  status: number
}

/** What a DestinationRule's annotations ask for beyond Istio. */
export interface DestinationExtensions {
  readonly healthCheck?: DestinationHealthCheck
  readonly rateLimit?: DestinationRateLimit
}

const HEALTH_CHECK = fields<DestinationHealthCheck>(
  {
    protocol: oneOf('TCP', 'HTTP', 'GRPC'),
    path: text,
    host: text,
    service: text,
    expectedStatuses: listOf(int32),
    interval: duration,
    timeout: duration,
    unhealthyThreshold: int32,
    healthyThreshold: int32,
  },
  { defaults: { protocol: 'TCP', path: '/', interval: 10_000, timeout: 1000, unhealthyThreshold: 3, healthyThreshold: 1 } },
)

const RATE_LIMIT = fields<DestinationRateLimit>(
  { maxTokens: int32, tokensPerFill: int32, fillInterval: duration, status: int32 },
  { defaults: { fillInterval: 1000, status: 429 }, required: ['maxTokens'] },
)

const NONE: DestinationExtensions = {}
const read = new WeakMap<DestinationRule, DestinationExtensions>()

/** The extensions of a rule, without those that are wrong: `heddle validate` tells what is. */
export function destinationExtensions(rule: DestinationRule): DestinationExtensions {
  const { annotations } = rule.metadata
  if (annotations[HEALTH_CHECK_ANNOTATION] === undefined && annotations[RATE_LIMIT_ANNOTATION] === undefined) return NONE
  let known = read.get(rule)
  if (known === undefined) read.set(rule, (known = decodeExtensions(rule, rootSite())))
  return known
}

/** Reads the annotations and tells what is wrong with them at their place below `root`. */
export function decodeExtensions({ metadata }: DestinationRule, root: Site): DestinationExtensions {
  const place = into(into(root, 'metadata'), 'annotations')
  const healthCheck = annotation(metadata.annotations[HEALTH_CHECK_ANNOTATION], into(place, HEALTH_CHECK_ANNOTATION), checked)
  const rateLimit = annotation(metadata.annotations[RATE_LIMIT_ANNOTATION], into(place, RATE_LIMIT_ANNOTATION), limited)
  return { ...(healthCheck === undefined ? {} : { healthCheck }), ...(rateLimit === undefined ? {} : { rateLimit }) }
}

/** Decoded only where nothing is wrong with it: half a limit would be another limit. */
function annotation<T>(
  written: string | undefined,
  site: Site,
  decode: (value: unknown, site: Site) => T | undefined,
): T | undefined {
  if (written === undefined) return undefined
  const loaded = loadDocument(written)
  if (!loaded.ok) {
    refuse(site, CODE.invalid, `is no YAML: ${loaded.message} (line ${loaded.line} of the annotation)`)
    return undefined
  }
  const before = site.found.length
  const value = decode(loaded.value ?? {}, site)
  return site.found.length > before ? undefined : value
}

function checked(value: unknown, site: Site): DestinationHealthCheck | undefined {
  const made = HEALTH_CHECK(value, site)
  if (made === undefined) return undefined
  atLeast(made.interval, 1, into(site, 'interval'), 'duration must be at least 1ms')
  atLeast(made.timeout, 1, into(site, 'timeout'), 'duration must be at least 1ms')
  atLeast(made.unhealthyThreshold, 1, into(site, 'unhealthyThreshold'), 'must be at least 1')
  atLeast(made.healthyThreshold, 1, into(site, 'healthyThreshold'), 'must be at least 1')
  for (const [i, status] of (made.expectedStatuses ?? []).entries())
    between(status, 100, 599, into(into(site, 'expectedStatuses'), i))
  if (made.protocol === 'HTTP' && !made.path.startsWith('/')) refuse(into(site, 'path'), CODE.invalid, 'must start with /')
  return made
}

function limited(value: unknown, site: Site): DestinationRateLimit | undefined {
  const made = RATE_LIMIT(value, site)
  if (made === undefined) return undefined
  atLeast(made.maxTokens, 1, into(site, 'maxTokens'), 'must be at least 1')
  if (made.tokensPerFill !== undefined) atLeast(made.tokensPerFill, 1, into(site, 'tokensPerFill'), 'must be at least 1')
  atLeast(made.fillInterval, 50, into(site, 'fillInterval'), 'Envoy fills at most every 50ms')
  between(made.status, 400, 599, into(site, 'status'))
  return made
}

function atLeast(value: number, least: number, site: Site, message: string): void {
  if (value < least) refuse(site, CODE.range, message)
}

function between(value: number, least: number, most: number, site: Site): void {
  if (value < least || value > most) refuse(site, CODE.range, `must be a status from ${least} to ${most}`)
}
