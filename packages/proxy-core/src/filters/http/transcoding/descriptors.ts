import { readWire, type WireField } from './wire.js'

/** google.protobuf.FileDescriptorSet, as far as transcoding needs it. Names have no leading dot. */
export interface Descriptors {
  message(name: string): MessageDescriptor | undefined
  enumOf(name: string): EnumDescriptor | undefined
  service(name: string): ServiceDescriptor | undefined
}

export interface MessageDescriptor {
  readonly name: string
  readonly isMapEntry: boolean
  readonly fields: readonly FieldDescriptor[]
  byNumber(number: number): FieldDescriptor | undefined
  /** By either spelling. */
  byName(name: string): FieldDescriptor | undefined
}

export interface FieldDescriptor {
  readonly name: string
  readonly jsonName: string
  readonly number: number
  readonly repeated: boolean
  /** google.protobuf.FieldDescriptorProto.Type */
  readonly type: number
  /** Of messages and enums. */
  readonly typeName: string
  readonly inOneof: boolean
}

export interface EnumDescriptor {
  readonly byNumber: ReadonlyMap<number, string>
  readonly byName: ReadonlyMap<string, number>
}

export interface ServiceDescriptor {
  readonly name: string
  readonly methods: readonly MethodDescriptor[]
}

export interface MethodDescriptor {
  readonly name: string
  readonly input: string
  readonly output: string
  readonly clientStreaming: boolean
  readonly serverStreaming: boolean
  readonly rules: readonly HttpRule[]
}

/** google.api.HttpRule without its additional bindings, which stand beside it. */
export interface HttpRule {
  readonly method: string
  readonly template: string
  /** `*`: the whole message; empty: no body. */
  readonly body: string
  readonly responseBody: string
}

const HTTP_OPTION = 72295728
const VERBS: Readonly<Record<number, string>> = { 2: 'GET', 3: 'PUT', 4: 'POST', 5: 'DELETE', 6: 'PATCH' }

/** Undefined: the bytes are no descriptor set. */
export function readDescriptors(bytes: Uint8Array): Descriptors | undefined {
  const messages = new Map<string, MessageDescriptor>()
  const enums = new Map<string, EnumDescriptor>()
  const services = new Map<string, ServiceDescriptor>()
  const set = readWire(bytes)
  if (set === undefined || set.length === 0) return undefined
  for (const file of all(set, 1)) {
    const fields = readWire(file)
    if (fields === undefined) return undefined
    const scope = text(fields, 2)
    for (const each of all(fields, 4)) readMessage(each, scope, messages, enums)
    for (const each of all(fields, 5)) readEnum(each, scope, enums)
    for (const each of all(fields, 6)) readService(each, scope, services)
  }
  return { message: (name) => messages.get(name), enumOf: (name) => enums.get(name), service: (name) => services.get(name) }
}

const all = (fields: readonly WireField[], number: number): readonly Buffer[] =>
  fields.filter((field) => field.number === number && field.type === 2).map(({ bytes }) => bytes)
const text = (fields: readonly WireField[], number: number): string => all(fields, number).at(-1)?.toString('utf8') ?? ''
const int = (fields: readonly WireField[], number: number): number =>
  Number(BigInt.asIntN(32, fields.findLast((field) => field.number === number)?.value ?? 0n))
const qualified = (scope: string, name: string): string => (scope === '' ? name : `${scope}.${name}`)
const typeName = (name: string): string => (name.startsWith('.') ? name.slice(1) : name)

function readMessage(
  bytes: Buffer,
  scope: string,
  messages: Map<string, MessageDescriptor>,
  enums: Map<string, EnumDescriptor>,
): void {
  const own = readWire(bytes) ?? []
  const name = qualified(scope, text(own, 1))
  const fields = all(own, 2).map(readField)
  const numbers = new Map(fields.map((field) => [field.number, field]))
  const names = new Map(fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const]))
  messages.set(name, {
    ...{ name, fields },
    isMapEntry: int(readWire(all(own, 7)[0] ?? Buffer.alloc(0)) ?? [], 7) === 1,
    byNumber: (number) => numbers.get(number),
    byName: (wanted) => names.get(wanted),
  })
  for (const each of all(own, 3)) readMessage(each, name, messages, enums)
  for (const each of all(own, 4)) readEnum(each, name, enums)
}

function readField(bytes: Buffer): FieldDescriptor {
  const own = readWire(bytes) ?? []
  const name = text(own, 1)
  return {
    name,
    jsonName: text(own, 10) || name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    number: int(own, 3),
    repeated: int(own, 4) === 3,
    type: int(own, 5),
    typeName: typeName(text(own, 6)),
    inOneof: own.some(({ number }) => number === 9),
  }
}

function readEnum(bytes: Buffer, scope: string, enums: Map<string, EnumDescriptor>): void {
  const own = readWire(bytes) ?? []
  const values = all(own, 2).map((each) => {
    const value = readWire(each) ?? []
    return [text(value, 1), int(value, 2)] as const
  })
  enums.set(qualified(scope, text(own, 1)), {
    byName: new Map(values),
    // Of two names for one number the first counts.
    byNumber: new Map(values.toReversed().map(([name, number]) => [number, name])),
  })
}

function readService(bytes: Buffer, scope: string, services: Map<string, ServiceDescriptor>): void {
  const own = readWire(bytes) ?? []
  const name = qualified(scope, text(own, 1))
  const methods = all(own, 2).map((each): MethodDescriptor => {
    const method = readWire(each) ?? []
    const options = readWire(all(method, 4)[0] ?? Buffer.alloc(0)) ?? []
    return {
      name: text(method, 1),
      input: typeName(text(method, 2)),
      output: typeName(text(method, 3)),
      clientStreaming: int(method, 5) === 1,
      serverStreaming: int(method, 6) === 1,
      rules: all(options, HTTP_OPTION).flatMap(readRule),
    }
  })
  services.set(name, { name, methods })
}

function readRule(bytes: Buffer): readonly HttpRule[] {
  const own = readWire(bytes) ?? []
  const custom = readWire(all(own, 8)[0] ?? Buffer.alloc(0)) ?? []
  const verb = own.find(({ number }) => VERBS[number] !== undefined)
  const method = verb === undefined ? text(custom, 1) : VERBS[verb.number]!
  const template = verb === undefined ? text(custom, 2) : verb.bytes.toString('utf8')
  const rule = { method, template, body: text(own, 7), responseBody: text(own, 12) }
  return [...(template === '' ? [] : [rule]), ...all(own, 11).flatMap(readRule)]
}
