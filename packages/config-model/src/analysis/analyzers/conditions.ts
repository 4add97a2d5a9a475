import { isRecord } from '../../decode/value.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

const GATEWAY_API = 'gateway.networking.k8s.io'
const WAYPOINT_BOUND = ['WaypointBound']
const ROUTE = ['Accepted', 'Programmed', 'ResolvedRefs']

// The conditions of a kind, without `istio.io/`, that tell a problem when they are False.
const WATCHED: readonly (readonly [group: string, kind: string, types: readonly string[]])[] = [
  ['', 'Service', WAYPOINT_BOUND],
  ['networking.istio.io', 'ServiceEntry', WAYPOINT_BOUND],
  ['networking.istio.io', 'WorkloadEntry', WAYPOINT_BOUND],
  ['security.istio.io', 'AuthorizationPolicy', ['ZtunnelAccepted', 'WaypointAccepted']],
  [GATEWAY_API, 'Gateway', ROUTE],
  [GATEWAY_API, 'HTTPRoute', ROUTE],
  [GATEWAY_API, 'GRPCRoute', ROUTE],
]

/** What controllers have written into `status`. */
export const conditions: Analyzer = {
  name: 'conditions.ConditionAnalyzer',
  summary: 'status conditions that tell a problem',
  messages: ['NegativeConditionStatus'],
  analyze(context, report) {
    for (const [group, kind, types] of WATCHED) {
      for (const object of context.ofGroup(group, kind)) {
        for (const { type, status, reason, message } of conditionsOf(object)) {
          const short = type.replace(/^istio\.io\//, '')
          const partly = kind === 'AuthorizationPolicy' && short === 'WaypointAccepted' && reason === 'PartiallyInvalid'
          if (partly || (status === 'False' && types.includes(short)))
            report('NegativeConditionStatus', object, 'status', type, reason, message)
        }
      }
    }
  },
}

// Routes have a list for each parent.
function conditionsOf({ written }: ConfigObject): Condition[] {
  const { status } = written
  if (!isRecord(status)) return []
  const holders = [status, ...(Array.isArray(status['parents']) ? (status['parents'] as unknown[]) : [])]
  return holders.flatMap((holder) => {
    const list = isRecord(holder) ? holder['conditions'] : undefined
    return Array.isArray(list) ? list.filter(isRecord).map(toCondition) : []
  })
}

function toCondition({ type, status, reason, message }: Readonly<Record<string, unknown>>): Condition {
  const [a, b, c, d] = [type, status, reason, message].map((value) => (typeof value === 'string' ? value : ''))
  return { type: a!, status: b!, reason: c!, message: d! }
}
