import type { HeaderMap } from '../../http/header-map.js'
import type { StreamInfo } from '../../http/stream-info.js'
import type { AccessLogEntry } from '../../observe/access-log.js'

/** A story of nothing: what header formats of checks may speak of is the request alone. */
export function probeEntry(requestHeaders: HeaderMap): AccessLogEntry {
  const info: StreamInfo = {
    startTime: 0,
    start: 0,
    method: '',
    authority: '',
    path: '',
    protocol: '',
    status: 0,
    details: '',
    flags: new Set(),
    bytesReceived: 0,
    bytesSent: 0,
    attempts: 0,
    downstreamRemote: '',
    downstreamLocal: '',
    metadata: new Map(),
    filterState: new Map(),
  }
  return { info, requestHeaders }
}
