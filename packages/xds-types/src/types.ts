import type { Diagnostic, Result } from '@heddle/runtime'
import type { Reader } from './wire/reader.js'
import type { Writer } from './wire/writer.js'
import type { Walks } from './write-plan.js'

/** Finds the type inside an Any. Explicit: nothing registers itself. */
export interface TypeRegistry {
  /** By full name, `envoy.config.cluster.v3.Cluster`, or by type URL with any host in front. */
  find(name: string): MessageType<unknown> | undefined
  readonly types: Iterable<MessageType<unknown>>
}

/** What a reader or writer carries along. */
export interface Place {
  readonly registry: TypeRegistry | undefined
  /** What is written does not change any more: parts of it may be taken from an earlier encoding. */
  readonly keeping: boolean
  /** Messages, lists and objects around. */
  depth: number
}

/** What reading JSON carries along: everything that is wrong is noted, and reading goes on. */
export interface JsonPlace {
  readonly registry: TypeRegistry | undefined
  readonly diagnostics: Diagnostic[]
  depth: number
  /** Values read so far: what is shared inside the input (YAML aliases) counts each time it is met. */
  values: number
}

/** A type of google.protobuf whose JSON form is its own: how its body is read and written. */
export interface WellKnownType {
  readonly typeName: string
  write(writer: Writer, value: unknown, place: Place): void
  /** Reads to the reader's end. */
  read(reader: Reader, place: Place): unknown
  /** The in-memory form, or undefined with a note. */
  fromJson(json: unknown, path: string, place: JsonPlace): unknown
  toJson(value: unknown, options: JsonOptions): unknown
}

export type OneofRow = readonly [name: string, ids: readonly number[], required: number]

/** A field of a message, resolved. */
export interface Field {
  readonly id: number
  /** Proto name, as in memory: `connect_timeout`. */
  readonly name: string
  /** `connectTimeout`, accepted on input. */
  readonly jsonName: string
  /** A number of `KIND`. */
  readonly kind: number
  readonly repeated: boolean
  readonly map: boolean
  readonly packed: boolean
  /** Keeps a zero apart from unset: `optional`, or a member of a oneof. */
  readonly presence: boolean
  readonly sensitive: boolean
  readonly deprecated: boolean
  /** At most one of these three is set; none for scalars. */
  readonly message: MessageType<unknown> | undefined
  readonly wellKnown: WellKnownType | undefined
  readonly enum: EnumType<string> | undefined
  /** JSON null is a value of this field: Value and NullValue. */
  readonly nullable: boolean
  readonly keyKind: number
  /** protoc-gen-validate rules, as in the .proto. */
  readonly rules: unknown
  readonly oneof: Oneof | undefined
  /** That of `message`, once it was needed: a getter of each type's own would cost more than a field. */
  table: Table | undefined
}

export interface Oneof {
  readonly name: string
  readonly ids: readonly number[]
  /** Their proto names. */
  readonly members: readonly string[]
  readonly required: boolean
}

/** A message's fields, resolved when first needed, so that modules may import one another in circles. */
export interface Table {
  /** By ascending number. */
  readonly fields: readonly Field[]
  readonly byId: ReadonlyMap<number, Field>
  /** By proto name and by JSON name. */
  readonly byName: ReadonlyMap<string, Field>
  readonly oneofs: readonly Oneof[]
  /** What writers have learned about objects of the type. */
  readonly walks: Walks
}

export interface JsonOptions {
  /** Needed for what is inside an Any that is still packed. */
  readonly registry?: TypeRegistry
  /** Replace fields that Envoy marks sensitive by `[redacted]`. Default false. */
  readonly redact?: boolean
}

/** A message type: what it is called and how it is read and written. In memory it has the shape of canonical proto JSON with proto field names. */
export interface MessageType<T> {
  /** `envoy.config.cluster.v3.Cluster` */
  readonly typeName: string
  /** `type.googleapis.com/envoy.config.cluster.v3.Cluster` */
  readonly typeUrl: string
  readonly table: Table
  /**
   * To the wire, deterministically: fields by number, map keys sorted, so equal messages have equal bytes.
   * @param registry finds the types inside Any; without it only packed ones can be written.
   * @throws EncodeError with a path when the value is not a `T`.
   */
  encode(value: T, registry?: TypeRegistry): Uint8Array
  /** From the wire. Never throws; unknown fields are kept and written again by `encode`; an Any of an unknown type stays packed. */
  decode(bytes: Uint8Array, registry?: TypeRegistry): Result<T>
  /** From JSON in either spelling of names, enums by name or number, to the one in-memory shape. Never throws; every unknown field or wrong type is told with its path. */
  fromJson(json: unknown, registry?: TypeRegistry): Result<T>
  /** To canonical JSON with proto names, free of bytes and non-finite numbers. */
  toJson(value: T, options?: JsonOptions): unknown
  /** What is against the API's own rules (protoc-gen-validate), with full paths; empty is good. @param registry to look into Any. */
  validate(value: T, registry?: TypeRegistry): readonly Diagnostic[]
}

export interface EnumType<Name extends string> {
  readonly typeName: string
  readonly values: { readonly [name in Name]: number }
  /** Of aliases the first; undefined for a number that this API does not know. */
  nameOf(number: number): Name | undefined
}

/** One method: how to call it and what travels. */
export interface MethodType<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string
  readonly request: MessageType<Request>
  readonly response: MessageType<Response>
  readonly requestStream: boolean
  readonly responseStream: boolean
}

export interface ServiceType<Methods extends object> {
  readonly typeName: string
  readonly methods: Methods
}
