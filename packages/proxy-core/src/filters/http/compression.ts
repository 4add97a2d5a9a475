import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import {
  type BrotliOptions,
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  type ZlibOptions,
} from 'node:zlib'
import type { HeaderMap } from '../../http/header-map.js'
import type { Body, BodySink } from '../../http/message.js'

/** The one door to node:zlib: content codings as streams of bytes. */

export type Coding = 'gzip' | 'br' | 'zstd'

export interface GzipSettings {
  readonly level: number
  readonly memoryLevel: number
  readonly windowBits: number
}

export interface BrotliSettings {
  readonly quality: number
  readonly windowBits: number
}

/** Node has zstd since 22.15 and 23.8. */
export const hasZstd: boolean = typeof (zlib as { createZstdCompress?: unknown }).createZstdCompress === 'function'

type ZstdMaker = (options: object) => Transform
const maker = (name: 'createZstdCompress' | 'createZstdDecompress'): ZstdMaker =>
  (zlib as unknown as Record<string, ZstdMaker>)[name]!

/** Every chunk is flushed, so that who streams is heard at once. */
export function gzipStream({ level, memoryLevel, windowBits }: GzipSettings): Transform {
  return createGzip({ level, memLevel: memoryLevel, windowBits, flush: constants.Z_SYNC_FLUSH } satisfies ZlibOptions)
}

export function brotliStream({ quality, windowBits }: BrotliSettings): Transform {
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: windowBits }
  return createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH } satisfies BrotliOptions)
}

export function zstdStream(level: number): Transform {
  const { ZSTD_c_compressionLevel: parameter = 100, ZSTD_e_flush: flush = 1 } = constants as unknown as Record<string, number>
  return maker('createZstdCompress')({ params: { [parameter]: level }, flush })
}

export function inflateStream(coding: Coding): Transform {
  if (coding === 'gzip') return createGunzip()
  return coding === 'br' ? createBrotliDecompress() : maker('createZstdDecompress')({})
}

export interface RecodeEvents {
  /** Bytes before and after, as they pass. */
  bytes?(taken: number, given: number): void
  /** Trailers to end with. */
  ended?(trailers: HeaderMap | undefined): HeaderMap | undefined
  /** Why the rest must not pass, from the bytes so far; undefined: it may. */
  refuses?(taken: number, given: number): string | undefined
}

/** A body whose bytes go through `stream`; its length is not known any more. A stream that fails aborts it. */
export function recodeBody(body: Body, stream: Transform, events: RecodeEvents = {}): Body {
  let waits = false
  let over = false
  const stop = (): void => {
    over = true
    stream.destroy()
  }
  return {
    length: undefined,
    consume(sink) {
      let taken = 0
      let given = 0
      let trailers: HeaderMap | undefined
      const broken = (error: Error): void => {
        if (over) return
        stop()
        body.discard()
        sink.abort(error)
      }
      stream.on('error', broken)
      stream.on('data', (chunk: Buffer) => {
        if (over) return
        given += chunk.length
        events.bytes?.(0, chunk.length)
        const problem = events.refuses?.(taken, given)
        if (problem !== undefined) broken(new Error(problem))
        else if (!sink.data(chunk)) stream.pause()
      })
      stream.on('end', () => {
        if (over) return
        over = true
        sink.end(events.ended === undefined ? trailers : events.ended(trailers))
      })
      stream.on('drain', () => {
        if (waits && !over) body.resume()
        waits = false
      })
      const source: BodySink = {
        data(chunk) {
          if (over) return true
          taken += chunk.length
          events.bytes?.(chunk.length, 0)
          // A stream keeps what it is given; the chunk is the sender's again after this call.
          waits = !stream.write(Buffer.from(chunk))
          return !waits
        },
        end(last) {
          trailers = last
          stream.end()
        },
        abort(error) {
          if (over) return
          stop()
          sink.abort(error)
        },
      }
      body.consume(source)
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    discard() {
      stop()
      body.discard()
    },
  }
}
