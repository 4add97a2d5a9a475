import { internName } from '../header-map.js'

/** Byte classes of RFC 9110 §5.6.2, §5.5 and RFC 9112, as tables: one look-up a byte. */

function table(accept: (code: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(256)
  for (let code = 0; code < 256; code++) if (accept(code)) bytes[code] = 1
  return bytes
}

const TOKEN_CHARACTERS = new Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
const HOST_CHARACTERS = new Set("-._~!$&'()*+;=%:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

/** tchar: methods and field names. */
export const TOKEN: Uint8Array = table((code) => TOKEN_CHARACTERS.has(String.fromCharCode(code)))

/** Visible ASCII: request targets. */
export const TARGET: Uint8Array = table((code) => code > 32 && code < 127)

/** And what is no ASCII, which Envoy takes in a :path. */
export const PATH: Uint8Array = table((code) => code > 32 && code !== 127)

/** uri-host [":" port], without userinfo and comma. */
export const HOST: Uint8Array = table((code) => HOST_CHARACTERS.has(String.fromCharCode(code)))

/** Lower case of ASCII letters, everything else itself. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => (code >= 65 && code <= 90 ? code + 32 : code))

interface Known {
  readonly name: string
  readonly bytes: Uint8Array
}

const internedWords = (text: string): readonly string[] => text.split(' ').map(internName)

/** Methods that are known (IANA's registry): Envoy refuses all others, lower-case ones among them. */
export const METHODS: ReadonlySet<string> = new Set(
  internedWords(
    'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE ' +
      'MSEARCH NOTIFY PROPFIND PROPPATCH PURGE QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE',
  ),
)

const methods: readonly Known[] = Array.from(METHODS, (name) => ({ name, bytes: Buffer.from(name, 'latin1') }))

/** The one string of a method that is known; undefined for others. */
export function knownMethod(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  for (const { name, bytes: own } of methods) {
    if (own.length !== length) continue
    let at = 0
    while (at < length && bytes[start + at] === own[at]) at++
    if (at === length) return name
  }
  return undefined
}

const KNOWN_NAMES = internedWords(
  'accept accept-encoding accept-language accept-ranges access-control-allow-credentials access-control-allow-headers ' +
    'access-control-allow-methods access-control-allow-origin access-control-expose-headers access-control-max-age ' +
    'access-control-request-headers access-control-request-method age allow authorization b3 baggage cache-control connection ' +
    'content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag ' +
    'expect expires forwarded from grpc-accept-encoding grpc-encoding grpc-message grpc-status grpc-timeout host if-match ' +
    'if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link location max-forwards origin pragma ' +
    'proxy-authenticate proxy-authorization proxy-connection range referer retry-after sec-fetch-dest sec-fetch-mode sec-fetch-site ' +
    'server set-cookie strict-transport-security te traceparent tracestate trailer transfer-encoding upgrade user-agent username vary via ' +
    'www-authenticate x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-envoy-attempt-count ' +
    'x-envoy-decorator-operation x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-internal x-envoy-original-path ' +
    'x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-upstream-service-time x-forwarded-client-cert x-forwarded-for ' +
    'x-forwarded-host x-forwarded-proto x-powered-by x-request-id',
)

const byLengthAndFirst = new Map<number, Known[]>()
for (const name of KNOWN_NAMES) {
  const key = name.length * 256 + name.charCodeAt(0)
  const known = { name, bytes: Buffer.from(name, 'latin1') }
  const bucket = byLengthAndFirst.get(key)
  if (bucket === undefined) byLengthAndFirst.set(key, [known])
  else bucket.push(known)
}
const LONGEST_KNOWN = Math.max(...KNOWN_NAMES.map((name) => name.length))
// A plain array by length and first byte: faster to ask than the map.
const buckets: (readonly Known[] | undefined)[] = Array.from({ length: (LONGEST_KNOWN + 1) * 256 }, (_, key) =>
  byLengthAndFirst.get(key),
)

/** The one string of a well-known field name, in lower case, so that comparing names compares pointers; undefined for other names. */
export function knownName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  if (length > LONGEST_KNOWN) return undefined
  const bucket = buckets[length * 256 + LOWER[bytes[start]!]!]
  if (bucket === undefined) return undefined
  for (const known of bucket) {
    let at = 1
    while (at < length && LOWER[bytes[start + at]!] === known.bytes[at]) at++
    if (at === length) return known.name
  }
  return undefined
}
