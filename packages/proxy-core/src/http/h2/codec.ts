import type { HttpCodec } from '../codec.js'
import { connectHttp2 } from './client.js'
import { serveHttp2 } from './server.js'

/** Our own HTTP/2. */
export const http2Codec: HttpCodec = { serve: serveHttp2, connect: connectHttp2 }
