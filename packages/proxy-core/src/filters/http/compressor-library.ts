import type { Transform } from 'node:stream'
import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { Brotli } from '@heddle/xds-types/envoy/extensions/compression/brotli/compressor/v3'
import type { Gzip } from '@heddle/xds-types/envoy/extensions/compression/gzip/compressor/v3'
import type { Zstd } from '@heddle/xds-types/envoy/extensions/compression/zstd/compressor/v3'
import { type Fields, fieldsOf } from '../../config/fields.js'
import { brotliStream, type Coding, gzipStream, hasZstd, inflateStream, zstdStream } from './compression.js'

/** A way to code bodies, and its name in Content-Encoding. */
export interface CompressionLibrary {
  /** As the configuration calls it; names statistics. */
  readonly name: string
  readonly coding: Coding
  create(): Transform
}

const COMPRESSION = 'envoy.extensions.compression'
/** Envoy's window bits of gzip without the 16 that choose its header. */
const NO_CHUNK = { chunk_size: 'memory is given out by Node', input_block_bits: 'the library chooses it' }

/** compressor_library: gzip, brotli, or zstd where Node has it. */
export function compileCompressorLibrary(fields: Fields<TypedExtensionConfig> | undefined): CompressionLibrary | undefined {
  const config = fields?.any('typed_config')
  const name = fields?.string('name') ?? ''
  fields?.done()
  if (fields === undefined || config === undefined) return undefined
  switch (config.typeName) {
    case `${COMPRESSION}.gzip.compressor.v3.Gzip`:
      return { name, ...compileGzip(fieldsOf<Gzip>(config, fields as Fields<never>)) }
    case `${COMPRESSION}.brotli.compressor.v3.Brotli`:
      return { name, ...compileBrotli(fieldsOf<Brotli>(config, fields as Fields<never>)) }
    case `${COMPRESSION}.zstd.compressor.v3.Zstd`:
      return { name, ...compileZstd(fieldsOf<Zstd>(config, fields as Fields<never>)) }
    default:
      fields.problem(`${config.typeName} is not supported: use gzip, brotli or zstd.`, 'typed_config')
      return undefined
  }
}

/** decompressor_library: the same codings. */
export function compileDecompressorLibrary(fields: Fields<TypedExtensionConfig> | undefined): CompressionLibrary | undefined {
  const config = fields?.any('typed_config')
  const name = fields?.string('name') ?? ''
  fields?.done()
  if (fields === undefined || config === undefined) return undefined
  const kind = new RegExp(`^${COMPRESSION}\\.(gzip|brotli|zstd)\\.decompressor\\.v3\\.`).exec(config.typeName)?.[1]
  if (kind === undefined || (kind === 'zstd' && !hasZstd)) {
    fields.problem(`${config.typeName} is not supported ${kind === undefined ? 'here' : NO_ZSTD}.`, 'typed_config')
    return undefined
  }
  const coding = kind === 'brotli' ? 'br' : (kind as 'gzip' | 'zstd')
  return { name, coding, create: () => inflateStream(coding) }
}

const NO_ZSTD = `on this Node: zstd needs 22.15 or newer`
const GZIP_LEVELS: Readonly<Record<string, number>> = {
  DEFAULT_COMPRESSION: -1,
  BEST_SPEED: 1,
  BEST_COMPRESSION: 9,
  ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`COMPRESSION_LEVEL_${i + 1}`, i + 1])),
}

function compileGzip(fields: Fields<Gzip>): Omit<CompressionLibrary, 'name'> {
  const level = GZIP_LEVELS[fields.choice('compression_level', Object.keys(GZIP_LEVELS), 'DEFAULT_COMPRESSION')] ?? -1
  const settings = {
    level,
    memoryLevel: within(fields.number('memory_level', 5), 1, 9),
    windowBits: within(fields.number('window_bits', 12), 9, 15),
  }
  fields.done({ ...NO_CHUNK, compression_strategy: 'changes the size, never the content' })
  return { coding: 'gzip', create: () => gzipStream(settings) }
}

function compileBrotli(fields: Fields<Brotli>): Omit<CompressionLibrary, 'name'> {
  const settings = {
    quality: within(fields.number('quality', 3), 0, 11),
    windowBits: within(fields.number('window_bits', 18), 10, 24),
  }
  fields.done({
    ...NO_CHUNK,
    encoder_mode: 'changes the size, never the content',
    disable_literal_context_modeling: 'changes the size, never the content',
  })
  return { coding: 'br', create: () => brotliStream(settings) }
}

function compileZstd(fields: Fields<Zstd>): Omit<CompressionLibrary, 'name'> {
  const level = within(fields.number('compression_level', 3), 1, 22)
  fields.done({
    ...NO_CHUNK,
    strategy: 'changes the size, never the content',
    enable_checksum: 'the framing below has its own',
  })
  if (!hasZstd) fields.problem(`zstd is not supported ${NO_ZSTD}.`)
  return { coding: 'zstd', create: () => zstdStream(level) }
}

const within = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most)
