import type { HeaderMap } from './header-map.js'

// Fields that Envoy keeps as one value (its inline headers, and those that its extensions register): what comes on several
// lines becomes a list on one, so that matchers, filters and upstreams read the same text.

const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

export const JOINED_IN_REQUESTS: ReadonlySet<string> = names(
  `accept accept-encoding access-control-request-headers access-control-request-method authorization cache-control
  content-encoding content-type grpc-accept-encoding grpc-timeout if-match if-modified-since if-none-match if-range
  if-unmodified-since origin pragma referer user-agent via x-client-trace-id x-envoy-attempt-count
  x-envoy-decorator-operation x-envoy-external-address x-envoy-original-path x-forwarded-host x-forwarded-port x-request-id`,
)

export const JOINED_IN_RESPONSES: ReadonlySet<string> = names(
  `access-control-allow-credentials access-control-allow-headers access-control-allow-methods access-control-allow-origin
  access-control-expose-headers access-control-max-age age cache-control content-encoding content-type date etag expires
  grpc-message grpc-status last-modified location vary via x-envoy-attempt-count x-envoy-decorator-operation x-envoy-degraded
  x-envoy-ratelimited x-envoy-upstream-canary x-request-id`,
)

/** Puts the lines of each of these names together, with a comma and no space. Most messages have no name twice. */
export function joinFields(headers: HeaderMap, joined: ReadonlySet<string>): void {
  const { size } = headers
  for (let i = 1; i < size; i++) {
    const name = headers.nameAt(i)
    for (let j = 0; j < i; j++) {
      if (headers.nameAt(j) !== name || !joined.has(name)) continue
      headers.set(name, headers.getAll(name).join(','))
      joinFields(headers, joined)
      return
    }
  }
}
