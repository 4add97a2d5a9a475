import { XDS_MESSAGES, type XdsMessage } from '../xds-messages.js'
import { serializer } from './proto3-json-serializer.js'
import { protobufEs } from './protobuf-es.js'
import { protobufjsStatic } from './protobufjs-static.js'
import { serveWork } from './work.js'

// usage: CONTENDER MESSAGE encode|decode. One message, again and again.

/** Both ways of one message; a decoder's result goes back to bytes for the check only. */
export interface Codec {
  encode(): Uint8Array
  decode(bytes: Uint8Array): unknown
  again(decoded: unknown): Uint8Array
}

const CODECS: Readonly<Record<string, (message: XdsMessage) => Codec | Promise<Codec>>> = {
  ours: ({ type, registry, json }) => ({
    encode: () => type.encode(json, registry),
    decode(bytes) {
      const decoded = type.decode(bytes, registry)
      if (!decoded.ok) throw new Error(decoded.diagnostics[0]?.message)
      return decoded.value
    },
    again: (decoded) => type.encode(decoded, registry),
  }),
  static: protobufjsStatic,
  serializer,
  'protobuf-es': protobufEs,
}

const [who = '', name = '', direction] = process.argv.slice(2)
const message = XDS_MESSAGES[name]!()
const codec = await CODECS[who]!(message)
const bytes = message.type.encode(message.json, message.registry)
let used = 0
await serveWork({
  show: () => Buffer.from(direction === 'encode' ? codec.encode() : codec.again(codec.decode(bytes))).toString('base64'),
  run() {
    const made = direction === 'encode' ? codec.encode() : codec.decode(bytes)
    if (typeof made === 'object') used++
  },
})
if (used < 0) console.log('"never: what was made must be used"')
