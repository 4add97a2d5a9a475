import type { Codecs } from '../auto.js'
import { connectNodeHttp1 } from './http1-client.js'
import { serveNodeHttp1 } from './http1-server.js'
import { connectNodeHttp2 } from './http2-client.js'
import { serveNodeHttp2 } from './http2-server.js'

/** node:http and node:http2 behind the same interface: three to seventeen times dearer, and others' to keep. */
export const nodeCodecs: Codecs = {
  http1: { serve: serveNodeHttp1, connect: connectNodeHttp1 },
  http2: { serve: serveNodeHttp2, connect: connectNodeHttp2 },
}
