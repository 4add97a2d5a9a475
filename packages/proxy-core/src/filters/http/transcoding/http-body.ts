import type { Descriptors, MessageDescriptor } from './descriptors.js'
import type { ParseOptions } from './from-json.js'
import { type MatchedCall, requestMessage } from './methods.js'
import { lengthDelimited, readWire } from './wire.js'

/** google.api.HttpBody: bytes that are passed on as they are, with their content type. */
const HTTP_BODY = 'google.api.HttpBody'
const CONTENT_TYPE = 1
const DATA = 2

export function isHttpBody(type: MessageDescriptor, field: string, types: Descriptors): boolean {
  if (field === '' || field === '*') return type.name === HTTP_BODY
  return types.message(type.byName(field)?.typeName ?? '')?.name === HTTP_BODY
}

export function httpBodyMessage(
  body: Buffer,
  contentType: string,
  call: MatchedCall,
  types: Descriptors,
  parse: ParseOptions,
): Buffer {
  const own = Buffer.concat([
    ...(contentType === '' ? [] : [lengthDelimited(CONTENT_TYPE, Buffer.from(contentType))]),
    lengthDelimited(DATA, body),
  ])
  const field = call.route.input.byName(call.route.body)
  const wrapped = field === undefined ? own : lengthDelimited(field.number, own)
  return Buffer.concat([wrapped, requestMessage({ ...call, route: { ...call.route, body: '' } }, body, types, parse)])
}

export function readHttpBody(message: Uint8Array): { readonly contentType: string; readonly data: Buffer } {
  const wire = readWire(message) ?? []
  const at = (number: number): Buffer => wire.findLast((field) => field.number === number)?.bytes ?? Buffer.alloc(0)
  return { contentType: at(CONTENT_TYPE).toString('utf8'), data: at(DATA) }
}
