import type { HeaderMap } from '../../http/header-map.js'
import { emptyStreamInfo } from '../../http/new-stream-info.js'
import type { AccessLogEntry } from '../../observe/access-log.js'

/** A story of nothing: what header formats of checks may speak of is the request alone. */
export function probeEntry(requestHeaders: HeaderMap): AccessLogEntry {
  return { info: emptyStreamInfo(), requestHeaders }
}
