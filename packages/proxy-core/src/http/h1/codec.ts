import type { HttpCodec } from '../codec.js'
import { connectHttp1 } from './client.js'
import { serveHttp1 } from './server.js'

/** Our own HTTP/1.1. */
export const http1Codec: HttpCodec = { serve: serveHttp1, connect: connectHttp1 }
