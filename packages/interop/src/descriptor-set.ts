/** Descriptor sets by hand (google/protobuf/descriptor.proto), so that no compiler of protos is needed. */

export interface FieldOf {
  readonly name: string
  readonly number: number
  /** FieldDescriptorProto.Type */
  readonly type: number
  readonly repeated?: boolean
  /** `.test.Book` */
  readonly typeName?: string
}

export interface MethodOf {
  readonly name: string
  readonly input: string
  readonly output: string
  readonly clientStreaming?: boolean
  readonly serverStreaming?: boolean
  readonly rules: readonly RuleOf[]
}

/** google.api.HttpRule */
export interface RuleOf {
  readonly verb: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH'
  readonly path: string
  readonly body?: string
}

export interface MessageOf {
  readonly name: string
  readonly fields: readonly FieldOf[]
  readonly nested?: readonly MessageOf[]
  readonly isMapEntry?: boolean
}

const VERBS = { GET: 2, PUT: 3, POST: 4, DELETE: 5, PATCH: 6 } as const
const HTTP_OPTION = 72295728

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}

const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
const textField = (number: number, text: string): Buffer => bytesField(number, Buffer.from(text))
const intField = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)])

function field({ name, number, type, repeated = false, typeName }: FieldOf): Buffer {
  return Buffer.concat([
    textField(1, name),
    intField(3, number),
    intField(4, repeated ? 3 : 1),
    intField(5, type),
    ...(typeName === undefined ? [] : [textField(6, typeName)]),
    textField(
      10,
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ),
  ])
}

function message({ name, fields, nested = [], isMapEntry = false }: MessageOf): Buffer {
  return Buffer.concat([
    textField(1, name),
    ...fields.map((each) => bytesField(2, field(each))),
    ...nested.map((each) => bytesField(3, message(each))),
    ...(isMapEntry ? [bytesField(7, intField(7, 1))] : []),
  ])
}

function rule({ verb, path, body }: RuleOf, more: readonly RuleOf[]): Buffer {
  return Buffer.concat([
    textField(VERBS[verb], path),
    ...(body === undefined ? [] : [textField(7, body)]),
    ...more.map((each) => bytesField(11, rule(each, []))),
  ])
}

function method({ name, input, output, clientStreaming, serverStreaming, rules: [first, ...more] }: MethodOf): Buffer {
  return Buffer.concat([
    ...[textField(1, name), textField(2, input), textField(3, output)],
    ...(first === undefined ? [] : [bytesField(4, bytesField(HTTP_OPTION, rule(first, more)))]),
    ...(clientStreaming ? [intField(5, 1)] : []),
    ...(serverStreaming ? [intField(6, 1)] : []),
  ])
}

/** One file of package `test` with one service and one enum. */
export function descriptorSet(
  service: string,
  methods: readonly MethodOf[],
  messages: readonly MessageOf[],
  enumName: string,
  values: readonly string[],
): Buffer {
  const enumeration = [
    textField(1, enumName),
    ...values.map((name, i) => bytesField(2, Buffer.concat([textField(1, name), intField(2, i)]))),
  ]
  return bytesField(
    1,
    Buffer.concat([
      textField(1, 'test.proto'),
      textField(2, 'test'),
      ...messages.map((each) => bytesField(4, message(each))),
      bytesField(5, Buffer.concat(enumeration)),
      bytesField(6, Buffer.concat([textField(1, service), ...methods.map((each) => bytesField(2, method(each)))])),
      textField(12, 'proto3'),
    ]),
  )
}
