import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import { cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, type TestUpstream } from './harness.js'
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  type Fields,
  type Frame,
  frame,
  GET,
  headers,
  PADDED,
  POST,
  PREFACE,
  PRIORITY,
  type RawClient,
  rawClient,
  settings,
  TYPE,
  u32,
} from './http2-raw.js'

/** The cases of h2spec 2.6 by their numbers, over a live listener. A connection that closes is an error told, as there. */

const PROTOCOL = 1
const FLOW_CONTROL = 3
const CLOSED = 5
const FRAME_SIZE = 6
const REFUSED = 7
const COMPRESSION = 9
const MAX_STREAMS = 20

let upstream: TestUpstream
let proxy: TestProxy
beforeAll(async () => {
  upstream = await startUpstream((request, response) => request.resume().on('end', () => response.end('taken')))
  proxy = await startProxy({
    table: routeTable('u'),
    clusters: [cluster('u', [endpoint(upstream.port)])],
    manager: { http2: { ...DEFAULT_HTTP2_OPTIONS, maxConcurrentStreams: MAX_STREAMS } },
  })
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

type Verify = (client: RawClient) => Promise<void>

const codeOf = ({ type, payload }: Frame): number => payload.readUInt32BE(type === TYPE.goaway ? 4 : 0)

const connectionError =
  (...codes: readonly number[]): Verify =>
  async (client) => {
    const told = await client.next(({ type }) => type === TYPE.goaway)
    if (told !== undefined) expect(codes).toContain(codeOf(told))
  }
const streamError =
  (...codes: readonly number[]): Verify =>
  async (client) => {
    const told = await client.next(({ type }) => type === TYPE.goaway || type === TYPE.rstStream)
    if (told !== undefined) expect(codes).toContain(codeOf(told))
  }
const expectFrame =
  (wanted: (frame: Frame) => boolean): Verify =>
  async (client) => {
    expect(await client.next(wanted)).toBeDefined()
  }
const pong = expectFrame(({ type, flags }) => type === TYPE.ping && flags === ACK)
const answered = (streamId = 1): Verify => expectFrame((f) => f.type === TYPE.headers && f.streamId === streamId)
const answerEnds: Verify = expectFrame(
  ({ type, flags }) => type === TYPE.rstStream || ((type === TYPE.data || type === TYPE.headers) && (flags & END_STREAM) !== 0),
)
const dataFrame = (length?: number): Verify =>
  expectFrame(({ type, payload }) => type === TYPE.data && (length === undefined || payload.length === length))

const ping = frame(TYPE.ping, 0, 0, Buffer.alloc(8))
const update = (streamId: number, increment: number): Buffer => frame(TYPE.windowUpdate, 0, streamId, u32(increment))
const reset = (streamId: number, code = 8): Buffer => frame(TYPE.rstStream, 0, streamId, u32(code))
const priority = (streamId: number, dependency = 0, weight = 255): Buffer =>
  frame(TYPE.priority, 0, streamId, Buffer.concat([u32(dependency), Buffer.from([weight])]))
const NO_WINDOW = settings([4, 0])
const padded = (padding: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)])
const dummy = block([['x-dummy', 'one']])
const with_ = (fields: Fields, ...more: Fields): Fields => [...fields, ...more]
const without = (name: string): Fields => GET.filter(([each]) => each !== name)
const hpack = (hex: string): Buffer => headers(1, Buffer.concat([block(GET), Buffer.from(hex.replaceAll(' ', ''), 'hex')]))

/** What is sent after the greeting, and what must come of it. A function sends more once an answer has come. */
type Case = readonly [
  id: string,
  what: string,
  send: readonly Uint8Array[],
  verify: Verify,
  then?: readonly [send: readonly Uint8Array[], verify: Verify],
]

const USER_AGENT = '757365722d6167656e74'
const HUFFMAN_USER_AGENT = '87b505b161cc5a93'
const H2SPEC = '06683273706563'
const HUFFMAN_H2SPEC = '849c48aca4'
const X_TEST = '06782d74657374'
const HUFFMAN_X_TEST = '85f2b24a84ff'

const GENERIC: readonly Case[] = [
  ['generic/1/1', 'a client connection preface', [ping], pong],
  ['generic/2/1', 'PRIORITY on an idle stream', [priority(1), ping], pong],
  ['generic/2/2', 'WINDOW_UPDATE on a half-closed (remote) stream', [NO_WINDOW, headers(1, GET), update(1, 1)], dataFrame(1)],
  [
    'generic/2/3',
    'PRIORITY on a half-closed (remote) stream',
    [NO_WINDOW, headers(1, GET), priority(1), update(1, 1)],
    dataFrame(1),
  ],
  ['generic/2/4', 'RST_STREAM on a half-closed (remote) stream', [headers(1, GET), reset(1), ping], pong],
  ['generic/2/5', 'PRIORITY on a closed stream', [headers(1, GET)], answerEnds, [[priority(1), ping], pong]],
  ['generic/3.1/1', 'DATA', [headers(1, POST, END_HEADERS), data(1, 'test', END_STREAM)], answered()],
  ['generic/3.1/2', 'several DATA', [headers(1, POST, END_HEADERS), data(1, 'test'), data(1, 'test', END_STREAM)], answered()],
  [
    'generic/3.1/3',
    'DATA with padding',
    [headers(1, POST, END_HEADERS), data(1, padded(6, Buffer.from('test')), END_STREAM | PADDED)],
    answered(),
  ],
  ['generic/3.2/1', 'HEADERS', [headers(1, GET)], answered()],
  ['generic/3.2/2', 'HEADERS with padding', [headers(1, padded(5, block(GET)), END_STREAM | END_HEADERS | PADDED)], answered()],
  [
    'generic/3.2/3',
    'HEADERS with priority',
    [headers(1, Buffer.concat([u32(0), Buffer.from([255]), block(GET)]), END_STREAM | END_HEADERS | PRIORITY)],
    answered(),
  ],
  ['generic/3.3/1', 'PRIORITY of 1', [priority(1, 0, 0), headers(1, GET)], answered()],
  ['generic/3.3/2', 'PRIORITY of 256', [priority(1, 0, 255), headers(1, GET)], answered()],
  ['generic/3.3/3', 'PRIORITY with a dependency', [priority(1), priority(3, 1), headers(1, GET)], answered()],
  ['generic/3.3/4', 'PRIORITY, exclusive', [priority(1, 0x80000000), headers(1, GET)], answered()],
  ['generic/3.3/5', 'PRIORITY of an idle stream, then a lower one', [priority(5, 3), headers(3, GET)], answered(3)],
  ['generic/3.4/1', 'RST_STREAM', [headers(1, POST, END_HEADERS), reset(1), ping], pong],
  ['generic/3.5/1', 'SETTINGS', [settings()], expectFrame(({ type, flags }) => type === TYPE.settings && flags === ACK)],
  ['generic/3.7/1', 'PING', [ping], pong],
  ['generic/3.8/1', 'GOAWAY', [frame(TYPE.goaway, 0, 0, u32(0, 0))], connectionError(0)],
  ['generic/3.9/1', 'WINDOW_UPDATE of the connection', [update(0, 1), ping], pong],
  ['generic/3.9/2', 'WINDOW_UPDATE of a stream', [NO_WINDOW, headers(1, GET), update(1, 1)], dataFrame(1)],
  ['generic/3.10/1', 'CONTINUATION', [headers(1, GET, END_STREAM), frame(TYPE.continuation, END_HEADERS, 1, dummy)], answered()],
  [
    'generic/3.10/2',
    'several CONTINUATION',
    [headers(1, GET, END_STREAM), frame(TYPE.continuation, 0, 1, dummy), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    answered(),
  ],
  ['generic/4/1', 'a GET request', [headers(1, GET)], answered()],
  ['generic/4/2', 'a HEAD request', [headers(1, [[':method', 'HEAD'], ...GET.slice(1)])], answered()],
  ['generic/4/3', 'a POST request', [headers(1, POST, END_HEADERS), data(1, 'test', END_STREAM)], answered()],
  [
    'generic/4/4',
    'a POST request with trailers',
    [headers(1, with_(POST, ['trailer', 'x-test']), END_HEADERS), data(1, 'test'), headers(1, [['x-test', 'ok']])],
    answered(),
  ],
  ['generic/5/1', 'an indexed field', [hpack('ba')], answered()],
  ['generic/5/2', 'incremental indexing, indexed name', [hpack(`7a ${H2SPEC}`)], answered()],
  [
    'generic/5/3',
    'incremental indexing, indexed name, Huffman',
    [hpack(`40 ${HUFFMAN_USER_AGENT} ${HUFFMAN_H2SPEC}`)],
    answered(),
  ],
  ['generic/5/4', 'incremental indexing, new name', [hpack(`40 ${X_TEST} ${H2SPEC}`)], answered()],
  ['generic/5/5', 'incremental indexing, new name, Huffman', [hpack(`40 ${HUFFMAN_X_TEST} ${HUFFMAN_H2SPEC}`)], answered()],
  ['generic/5/6', 'without indexing, indexed name', [hpack(`00 0a ${USER_AGENT} ${H2SPEC}`)], answered()],
  ['generic/5/7', 'without indexing, indexed name, Huffman', [hpack(`00 ${HUFFMAN_USER_AGENT} ${HUFFMAN_H2SPEC}`)], answered()],
  ['generic/5/8', 'without indexing, new name', [hpack(`00 ${X_TEST} ${H2SPEC}`)], answered()],
  ['generic/5/9', 'without indexing, new name, Huffman', [hpack(`00 ${HUFFMAN_X_TEST} ${HUFFMAN_H2SPEC}`)], answered()],
  ['generic/5/10', 'never indexed, indexed name', [hpack(`10 0a ${USER_AGENT} ${H2SPEC}`)], answered()],
  ['generic/5/11', 'never indexed, indexed name, Huffman', [hpack(`10 ${HUFFMAN_USER_AGENT} ${HUFFMAN_H2SPEC}`)], answered()],
  ['generic/5/12', 'never indexed, new name', [hpack(`10 ${X_TEST} ${H2SPEC}`)], answered()],
  ['generic/5/13', 'never indexed, new name, Huffman', [hpack(`10 ${HUFFMAN_X_TEST} ${HUFFMAN_H2SPEC}`)], answered()],
  ['generic/5/14', 'a dynamic table size update', [headers(1, Buffer.concat([Buffer.from([0x20]), block(GET)]))], answered()],
  [
    'generic/5/15',
    'several dynamic table size updates',
    [headers(1, Buffer.concat([Buffer.from([0x20, 0x3f, 0xe1, 0x1f]), block(GET)]))],
    answered(),
  ],
]

const HTTP2: readonly Case[] = [
  ['http2/4.1/1', 'a frame of an unknown type', [frame(0x16, 0, 0, Buffer.alloc(8)), ping], pong],
  ['http2/4.1/2', 'an undefined flag', [frame(TYPE.ping, 0x16, 0, Buffer.alloc(8))], pong],
  ['http2/4.1/3', 'the reserved bit', [frame(TYPE.ping, 0, 0x80000000, Buffer.alloc(8))], pong],
  ['http2/4.2/1', 'DATA of 2^14 octets', [headers(1, POST, END_HEADERS), data(1, Buffer.alloc(16384), END_STREAM)], answered()],
  [
    'http2/4.2/2',
    'DATA over SETTINGS_MAX_FRAME_SIZE',
    [headers(1, POST, END_HEADERS), data(1, Buffer.alloc(16385), END_STREAM)],
    streamError(FRAME_SIZE),
  ],
  [
    'http2/4.2/3',
    'HEADERS over SETTINGS_MAX_FRAME_SIZE',
    [headers(1, block(with_(GET, ...Array.from({ length: 5 }, () => ['x-dummy', 'a'.repeat(4000)] as const))))],
    connectionError(FRAME_SIZE),
  ],
  ['http2/4.3/1', 'an invalid header block', [headers(1, Buffer.from([0x40]))], connectionError(COMPRESSION)],
  [
    'http2/4.3/2',
    'PRIORITY within a header block',
    [headers(1, GET, 0), priority(1), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/4.3/3',
    'HEADERS of another stream within a header block',
    [headers(1, GET, 0), headers(3, GET, END_HEADERS)],
    connectionError(PROTOCOL),
  ],
  ['http2/5.1/1', 'idle: DATA', [data(1, 'test', END_STREAM)], connectionError(PROTOCOL)],
  ['http2/5.1/2', 'idle: RST_STREAM', [reset(1)], connectionError(PROTOCOL)],
  ['http2/5.1/3', 'idle: WINDOW_UPDATE', [update(1, 100)], connectionError(PROTOCOL)],
  ['http2/5.1/4', 'idle: CONTINUATION', [frame(TYPE.continuation, END_HEADERS, 1, block(GET))], connectionError(PROTOCOL)],
  ['http2/5.1/5', 'half-closed: DATA', [headers(1, GET), data(1, 'test', END_STREAM)], streamError(CLOSED)],
  ['http2/5.1/6', 'half-closed: HEADERS', [headers(1, GET), headers(1, GET)], streamError(CLOSED)],
  [
    'http2/5.1/7',
    'half-closed: CONTINUATION',
    [headers(1, GET), frame(TYPE.continuation, END_HEADERS, 1, block(GET))],
    streamError(CLOSED, PROTOCOL),
  ],
  [
    'http2/5.1/8',
    'closed: DATA after RST_STREAM',
    [headers(1, POST, END_HEADERS), reset(1), data(1, 'test', END_STREAM)],
    streamError(CLOSED),
  ],
  [
    'http2/5.1/9',
    'closed: HEADERS after RST_STREAM',
    [headers(1, POST, END_HEADERS), reset(1), headers(1, POST)],
    streamError(CLOSED),
  ],
  [
    'http2/5.1/10',
    'closed: CONTINUATION after RST_STREAM',
    [headers(1, POST, END_HEADERS), reset(1), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    streamError(CLOSED, PROTOCOL),
  ],
  ['http2/5.1/11', 'closed: DATA', [headers(1, GET)], answerEnds, [[data(1, 'test', END_STREAM)], connectionError(CLOSED)]],
  ['http2/5.1/12', 'closed: HEADERS', [headers(1, GET)], answerEnds, [[headers(1, GET)], connectionError(CLOSED)]],
  [
    'http2/5.1/13',
    'closed: CONTINUATION',
    [headers(1, GET)],
    answerEnds,
    [[frame(TYPE.continuation, END_HEADERS, 1, dummy)], connectionError(CLOSED, PROTOCOL)],
  ],
  ['http2/5.1.1/1', 'an even stream identifier', [headers(2, GET)], connectionError(PROTOCOL)],
  [
    'http2/5.1.1/2',
    'a stream identifier smaller than the last',
    [headers(5, GET)],
    answered(5),
    [[headers(3, GET)], connectionError(PROTOCOL)],
  ],
  [
    'http2/5.1.2/1',
    'more streams than MAX_CONCURRENT_STREAMS',
    [NO_WINDOW, ...Array.from({ length: MAX_STREAMS + 1 }, (_, i) => headers(1 + 2 * i, GET))],
    streamError(PROTOCOL, REFUSED),
  ],
  [
    'http2/5.3.1/1',
    'HEADERS that depend on their own stream',
    [headers(1, Buffer.concat([u32(1), Buffer.from([255]), block(GET)]), END_STREAM | END_HEADERS | PRIORITY)],
    streamError(PROTOCOL),
  ],
  ['http2/5.3.1/2', 'PRIORITY that depends on its own stream', [priority(2, 2)], streamError(PROTOCOL)],
  ['http2/5.4.1/1', 'an invalid PING closes', [frame(TYPE.ping, 0, 3, Buffer.alloc(8))], connectionError(PROTOCOL)],
  ['http2/5.5/1', 'an unknown extension frame', [frame(0xff, 0, 0, Buffer.from('data')), ping], pong],
  [
    'http2/5.5/2',
    'an unknown extension frame within a header block',
    [headers(1, GET, END_STREAM), frame(0xff, 0, 0, Buffer.alloc(8)), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    connectionError(PROTOCOL),
  ],
  ['http2/6.1/1', 'DATA on stream 0', [data(0, 'test', END_STREAM)], connectionError(PROTOCOL)],
  ['http2/6.1/2', 'DATA on a stream that is not open', [headers(1, GET), data(1, 'test', END_STREAM)], streamError(CLOSED)],
  [
    'http2/6.1/3',
    'DATA with too much padding',
    [headers(1, POST, END_HEADERS), data(1, Buffer.from([6, 1, 2, 3]), END_STREAM | PADDED)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.2/1',
    'HEADERS without END_HEADERS, then PRIORITY',
    [headers(1, GET, END_STREAM), priority(1)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.2/2',
    'HEADERS of another stream within HEADERS',
    [headers(1, GET, END_STREAM), headers(3, GET)],
    connectionError(PROTOCOL),
  ],
  ['http2/6.2/3', 'HEADERS on stream 0', [headers(0, GET)], connectionError(PROTOCOL)],
  [
    'http2/6.2/4',
    'HEADERS with too much padding',
    [headers(1, Buffer.concat([Buffer.from([255]), block(GET)]), END_STREAM | END_HEADERS | PADDED)],
    connectionError(PROTOCOL),
  ],
  ['http2/6.3/1', 'PRIORITY on stream 0', [priority(0)], connectionError(PROTOCOL)],
  ['http2/6.3/2', 'PRIORITY of another length', [frame(TYPE.priority, 0, 1, Buffer.alloc(4))], streamError(FRAME_SIZE)],
  ['http2/6.4/1', 'RST_STREAM on stream 0', [reset(0)], connectionError(PROTOCOL)],
  ['http2/6.4/2', 'RST_STREAM on an idle stream', [reset(1)], connectionError(PROTOCOL)],
  [
    'http2/6.4/3',
    'RST_STREAM of another length',
    [headers(1, POST, END_HEADERS), frame(TYPE.rstStream, 0, 1, Buffer.alloc(3))],
    connectionError(FRAME_SIZE),
  ],
  ['http2/6.5/1', 'SETTINGS ACK with a payload', [frame(TYPE.settings, ACK, 0, Buffer.alloc(6))], connectionError(FRAME_SIZE)],
  ['http2/6.5/2', 'SETTINGS on a stream', [frame(TYPE.settings, 0, 1, Buffer.alloc(6))], connectionError(PROTOCOL)],
  ['http2/6.5/3', 'SETTINGS of another length', [frame(TYPE.settings, 0, 0, Buffer.alloc(3))], connectionError(FRAME_SIZE)],
  ['http2/6.5.2/1', 'ENABLE_PUSH of 2', [settings([2, 2])], connectionError(PROTOCOL)],
  ['http2/6.5.2/2', 'INITIAL_WINDOW_SIZE of 2^31', [settings([4, 2 ** 31])], connectionError(FLOW_CONTROL)],
  ['http2/6.5.2/3', 'MAX_FRAME_SIZE below 2^14', [settings([5, 16383])], connectionError(PROTOCOL)],
  ['http2/6.5.2/4', 'MAX_FRAME_SIZE of 2^24', [settings([5, 2 ** 24])], connectionError(PROTOCOL)],
  ['http2/6.5.2/5', 'an unknown setting', [settings([0xff, 1]), ping], pong],
  ['http2/6.5.3/1', 'INITIAL_WINDOW_SIZE twice in a frame', [settings([4, 100], [4, 1]), headers(1, GET)], dataFrame(1)],
  [
    'http2/6.5.3/2',
    'SETTINGS without ACK',
    [settings()],
    expectFrame(({ type, flags }) => type === TYPE.settings && flags === ACK),
  ],
  ['http2/6.7/1', 'PING', [ping], pong],
  [
    'http2/6.7/2',
    'PING with ACK is not answered',
    [frame(TYPE.ping, ACK, 0, Buffer.from('invalid!')), frame(TYPE.ping, 0, 0, Buffer.from('h2spec!!'))],
    async (client) => {
      const first = await client.next(({ type }) => type === TYPE.ping)
      expect(first?.payload.toString()).toBe('h2spec!!')
    },
  ],
  ['http2/6.7/3', 'PING on a stream', [frame(TYPE.ping, 0, 1, Buffer.alloc(8))], connectionError(PROTOCOL)],
  ['http2/6.7/4', 'PING of another length', [frame(TYPE.ping, 0, 0, Buffer.alloc(6))], connectionError(FRAME_SIZE)],
  ['http2/6.8/1', 'GOAWAY on a stream', [frame(TYPE.goaway, 0, 1, u32(0, 0))], connectionError(PROTOCOL)],
  ['http2/6.9/1', 'WINDOW_UPDATE of 0', [update(0, 0)], connectionError(PROTOCOL)],
  ['http2/6.9/2', 'WINDOW_UPDATE of 0 on a stream', [NO_WINDOW, headers(1, GET), update(1, 0)], streamError(PROTOCOL)],
  [
    'http2/6.9/3',
    'WINDOW_UPDATE of another length',
    [frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(3))],
    connectionError(FRAME_SIZE),
  ],
  ['http2/6.9.1/1', 'a window of 1 is kept to', [settings([4, 1]), headers(1, GET)], dataFrame(1)],
  [
    'http2/6.9.1/2',
    "the connection's window above 2^31-1",
    [update(0, 2 ** 31 - 1), update(0, 2 ** 31 - 1)],
    connectionError(FLOW_CONTROL),
  ],
  [
    'http2/6.9.1/3',
    "a stream's window above 2^31-1",
    [NO_WINDOW, headers(1, GET), update(1, 2 ** 31 - 1), update(1, 2 ** 31 - 1)],
    streamError(FLOW_CONTROL),
  ],
  [
    'http2/6.9.2/1',
    'INITIAL_WINDOW_SIZE changes after HEADERS',
    [NO_WINDOW, headers(1, GET)],
    answered(),
    [[settings([4, 1])], dataFrame(1)],
  ],
  [
    'http2/6.9.2/2',
    'a window that becomes negative',
    [settings([4, 3]), headers(1, GET)],
    dataFrame(3),
    [[settings([4, 2]), update(1, 2)], dataFrame(1)],
  ],
  ['http2/6.9.2/3', 'INITIAL_WINDOW_SIZE above 2^31-1', [settings([4, 0xffffffff])], connectionError(FLOW_CONTROL)],
  [
    'http2/6.10/1',
    'CONTINUATIONs behind HEADERS',
    [headers(1, GET, END_STREAM), frame(TYPE.continuation, 0, 1, dummy), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    answered(),
  ],
  [
    'http2/6.10/2',
    'CONTINUATION, then another frame',
    [headers(1, POST, 0), frame(TYPE.continuation, 0, 1, dummy), data(1, 'test', END_STREAM)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.10/3',
    'CONTINUATION on stream 0',
    [headers(1, GET, END_STREAM), frame(TYPE.continuation, END_HEADERS, 0, dummy)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.10/4',
    'CONTINUATION behind END_HEADERS',
    [headers(1, POST, END_HEADERS), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.10/5',
    'CONTINUATION behind a CONTINUATION with END_HEADERS',
    [headers(1, POST, 0), frame(TYPE.continuation, END_HEADERS, 1, dummy), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    connectionError(PROTOCOL),
  ],
  [
    'http2/6.10/6',
    'CONTINUATION behind DATA',
    [headers(1, POST, END_HEADERS), data(1, 'test'), frame(TYPE.continuation, END_HEADERS, 1, dummy)],
    connectionError(PROTOCOL),
  ],
  ['http2/7/1', 'GOAWAY with an unknown code', [frame(TYPE.goaway, 0, 0, u32(0, 0xff)), ping], connectionError(0)],
  ['http2/7/2', 'RST_STREAM with an unknown code', [headers(1, POST, END_HEADERS), reset(1, 0xff), ping], pong],
  [
    'http2/8.1/1',
    'a second HEADERS without END_STREAM',
    [headers(1, POST, END_HEADERS), headers(1, [['x-test', 'ok']], END_HEADERS)],
    streamError(PROTOCOL),
  ],
  ['http2/8.1.2/1', 'a name in upper case', [headers(1, with_(GET, ['X-TEST', 'ok']))], streamError(PROTOCOL)],
  ['http2/8.1.2.1/1', 'an unknown pseudo field', [headers(1, [[':test', 'ok'], ...GET])], streamError(PROTOCOL)],
  ['http2/8.1.2.1/2', 'the pseudo field of responses', [headers(1, [...GET, [':status', '200']])], streamError(PROTOCOL)],
  [
    'http2/8.1.2.1/3',
    'a pseudo field as trailer',
    [headers(1, POST, END_HEADERS), headers(1, [[':method', 'GET']])],
    streamError(PROTOCOL),
  ],
  ['http2/8.1.2.1/4', 'a pseudo field behind a regular one', [headers(1, [['x-test', 'ok'], ...GET])], streamError(PROTOCOL)],
  ['http2/8.1.2.2/1', 'a field of the connection', [headers(1, with_(GET, ['connection', 'keep-alive']))], streamError(PROTOCOL)],
  ['http2/8.1.2.2/2', 'TE other than trailers', [headers(1, with_(GET, ['te', 'trailers, deflate']))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/1', 'an empty :path', [headers(1, [[':path', ''], ...without(':path')])], streamError(PROTOCOL)],
  ['http2/8.1.2.3/2', 'no :method', [headers(1, without(':method'))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/3', 'no :scheme', [headers(1, without(':scheme'))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/4', 'no :path', [headers(1, without(':path'))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/5', 'two :method', [headers(1, with_(GET, [':method', 'GET']))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/6', 'two :scheme', [headers(1, with_(GET, [':scheme', 'http']))], streamError(PROTOCOL)],
  ['http2/8.1.2.3/7', 'two :path', [headers(1, with_(GET, [':path', '/']))], streamError(PROTOCOL)],
  [
    'http2/8.1.2.6/1',
    'a content-length that is not met',
    [headers(1, with_(POST, ['content-length', '1']), END_HEADERS), data(1, 'test', END_STREAM)],
    streamError(PROTOCOL),
  ],
  [
    'http2/8.1.2.6/2',
    'a content-length that several DATA do not meet',
    [headers(1, with_(POST, ['content-length', '1']), END_HEADERS), data(1, 'test'), data(1, 'test', END_STREAM)],
    streamError(PROTOCOL),
  ],
  [
    'http2/8.2/1',
    'PUSH_PROMISE',
    [frame(TYPE.pushPromise, END_HEADERS, 1, Buffer.concat([u32(3), block(GET)]))],
    connectionError(PROTOCOL),
  ],
]

const HPACK: readonly Case[] = [
  ['hpack/2.3.3/1', 'an indexed field with an index that is not there', [hpack('c6')], connectionError(COMPRESSION)],
  ['hpack/2.3.3/2', 'a literal with a name that is not there', [hpack(`7f 07 ${H2SPEC}`)], connectionError(COMPRESSION)],
  ['hpack/4.2/1', 'a table size update at the end of a block', [hpack('21')], connectionError(COMPRESSION)],
  [
    'hpack/5.2/1',
    'Huffman padding longer than 7 bits',
    [hpack(`00 ${HUFFMAN_X_TEST} 869c48aca4ffff`)],
    connectionError(COMPRESSION),
  ],
  ['hpack/5.2/2', 'Huffman padding of zeros', [hpack('00 85f2b24a84ff 83 492108')], connectionError(COMPRESSION)],
  ['hpack/5.2/3', 'EOS within a Huffman string', [hpack('00 85f2b24a84ff 87 fffffffffffffa')], connectionError(COMPRESSION)],
  ['hpack/6.1/1', 'an indexed field with index 0', [hpack('80')], connectionError(COMPRESSION)],
  [
    'hpack/6.3/1',
    'a table size update over SETTINGS_HEADER_TABLE_SIZE',
    [headers(1, Buffer.concat([Buffer.from([0x3f, 0xe2, 0x1f]), block(GET)]))],
    connectionError(COMPRESSION),
  ],
]

describe.each([
  ['generic', GENERIC],
  ['http2', HTTP2],
  ['hpack', HPACK],
] as const)('%s', (_, cases) => {
  for (const [id, what, send, verify, then] of cases)
    test(`${id} ${what}`, async () => {
      const client = await rawClient(proxy.port)
      try {
        client.send(...send)
        await verify(client)
        if (then === undefined) return
        client.send(...then[0])
        await then[1](client)
      } finally {
        client.close()
      }
    })
})

describe('http2/3.5', () => {
  test('http2/3.5/1 the server begins with SETTINGS', async () => {
    const client = await rawClient(proxy.port)
    expect((await client.next(() => true))?.type).toBe(TYPE.settings)
    client.close()
  })

  test('http2/3.5/2 an invalid preface closes', async () => {
    const client = await rawClient(proxy.port, false)
    client.send(Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'))
    await client.next(() => false)
    expect(client.closed).toBe(true)
  })
})

test('http2/5.4.1/2 an invalid PING is told by GOAWAY', async () => {
  const client = await rawClient(proxy.port)
  client.send(frame(TYPE.ping, 0, 3, Buffer.alloc(8)))
  const told = await client.next(({ type }) => type === TYPE.goaway)
  client.close()
  expect(told).toBeDefined()
})

test('what begins like the preface and goes on otherwise is HTTP/1.1', async () => {
  const client = await rawClient(proxy.port, false)
  client.send(PREFACE.subarray(0, 10))
  client.send(Buffer.from('X'))
  await client.next(() => false)
  expect(client.closed).toBe(true)
})
