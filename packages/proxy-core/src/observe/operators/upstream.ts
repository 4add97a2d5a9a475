import type { StreamInfo } from '../../http/stream-info.js'
import { formatAddress } from '../../net/address.js'
import type { Connection } from '../../net/connection.js'
import type { Endpoint } from '../../upstream/endpoint.js'
import { connectionId } from './connection-id.js'
import { inOneWord, type Operator, type PlainOperators, present } from './operator.js'

/** `10.0.0.1:80`; without a port where there is none. */
export function upstreamAddress(endpoint: Endpoint | undefined): string | undefined {
  if (endpoint === undefined) return undefined
  return endpoint.address.port === 0 ? endpoint.address.address : formatAddress(endpoint.address)
}

/** Its host name, or its address. */
const nameOf = (endpoint: Endpoint | undefined): string | undefined => endpoint?.hostname ?? upstreamAddress(endpoint)
const stripPort = (host: string | undefined): string | undefined => host?.replace(/:\d+$/, '')
/** Those that were connected to, each once. */
function attempted({ endpoint, connected, attempted: before = [] }: StreamInfo): readonly Endpoint[] {
  return endpoint === undefined || connected !== true || before.includes(endpoint) ? before : [...before, endpoint]
}

const listed =
  (read: (endpoint: Endpoint) => string | undefined): Operator =>
  ({ info }) =>
    present(
      attempted(info)
        .map((endpoint) => read(endpoint) ?? '')
        .join(','),
    )

const CLOSE_TYPES = { remote: 'RemoteReset', local: 'LocalReset' } as const

/** Of one that is open, too, it is what would be said if it closed in order. */
const closeType = ({ reset }: Connection): string => (reset === undefined ? 'Normal' : CLOSE_TYPES[reset])

export const upstreamOperators: PlainOperators = {
  UPSTREAM_PROTOCOL: ({ info }) => info.upstreamProtocol,
  UPSTREAM_HOST: ({ info }) => upstreamAddress(info.endpoint),
  UPSTREAM_HOST_NAME: ({ info }) => nameOf(info.endpoint),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: ({ info }) => stripPort(nameOf(info.endpoint)),
  UPSTREAM_HOSTS_ATTEMPTED: listed(upstreamAddress),
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: listed((endpoint) => endpoint.address.address),
  UPSTREAM_HOST_NAMES_ATTEMPTED: listed(nameOf),
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: listed((endpoint) => stripPort(nameOf(endpoint))),
  UPSTREAM_CLUSTER: ({ info }) => present(info.clusterStatName ?? info.cluster),
  UPSTREAM_CLUSTER_RAW: ({ info }) => present(info.cluster),
  UPSTREAM_CONNECTION_ID: ({ info }) => (info.upstreamConnection === undefined ? 0 : connectionId(info.upstreamConnection)),
  UPSTREAM_CONNECTION_IDS_ATTEMPTED: ({ info: { earlierConnections = [], upstreamConnection } }) =>
    present(
      [...earlierConnections, ...(upstreamConnection === undefined ? [] : [upstreamConnection])].map(connectionId).join(','),
    ),
  DOWNSTREAM_DETECTED_CLOSE_TYPE: ({ connection }) => connection && closeType(connection),
  UPSTREAM_DETECTED_CLOSE_TYPE: ({ info: { upstreamConnection } }) => upstreamConnection && closeType(upstreamConnection),
  DOWNSTREAM_LOCAL_CLOSE_REASON: ({ connection }) => connection?.localCloseReason,
  UPSTREAM_LOCAL_CLOSE_REASON: ({ info: { upstreamConnection } }) => upstreamConnection?.localCloseReason,
  UPSTREAM_TRANSPORT_FAILURE_REASON: ({ info }) => present(inOneWord(info.upstreamTransportFailureReason)),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: ({ info }) => info.attempts,
  // Only logs of the router's own requests have any, which are not written here.
  UPSTREAM_FILTER_STATE: () => undefined,
}
