import type { MethodType, ServiceType, TypeRegistry } from './types.js'

// Services as gRPC libraries for Node take them, without one of them or Node itself: what they send is made by the caller's Buffer.

/** Makes what the library sends, without a copy: Node's `Buffer`. */
export interface BufferMaker<B extends Uint8Array> {
  from(buffer: ArrayBufferLike, byteOffset: number, length: number): B
}

export interface GrpcServiceOptions<B extends Uint8Array> {
  readonly Buffer: BufferMaker<B>
  /** Finds the types inside Any; without it those stay packed. */
  readonly registry?: TypeRegistry
}

/** One method as grpc-js has it in a ServiceDefinition. Messages that are encoded already are sent as they are. */
export interface GrpcMethod<Request, Response, B extends Uint8Array> {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (message: Request | Uint8Array) => B
  readonly requestDeserialize: (bytes: Uint8Array) => Request
  readonly responseSerialize: (message: Response | Uint8Array) => B
  readonly responseDeserialize: (bytes: Uint8Array) => Response
}

export type GrpcService<Methods extends object, B extends Uint8Array> = {
  readonly [Name in keyof Methods]: Methods[Name] extends MethodType<infer Request, infer Response>
    ? GrpcMethod<Request, Response, B>
    : never
}

/** The same methods with bytes both ways. */
export type GrpcBytesService<Methods extends object, B extends Uint8Array> = {
  readonly [Name in keyof Methods]: GrpcMethod<Uint8Array, Uint8Array, B>
}

/**
 * A service for `server.addService(definition, handlers)` and `makeGenericClientConstructor(definition, name)` of grpc-js. What does not
 * decode ends the call with INTERNAL and says where it is malformed; what does not encode throws an EncodeError into it.
 */
export function grpcService<Methods extends object, B extends Uint8Array>(
  service: ServiceType<Methods>,
  options: GrpcServiceOptions<B>,
): GrpcService<Methods, B> {
  return mapMethods(service, (method) => messages(method, options)) as GrpcService<Methods, B>
}

/** Nothing is decoded or encoded: handlers get bytes and give bytes. */
export function grpcBytesService<Methods extends object, B extends Uint8Array>(
  service: ServiceType<Methods>,
  { Buffer: maker }: Pick<GrpcServiceOptions<B>, 'Buffer'>,
): GrpcBytesService<Methods, B> {
  const send = (bytes: Uint8Array): B => asBuffer(maker, bytes)
  const take = (bytes: Uint8Array): Uint8Array => bytes
  const passing = { requestSerialize: send, requestDeserialize: take, responseSerialize: send, responseDeserialize: take }
  return mapMethods(service, (method) => ({ ...callOf(method), ...passing })) as GrpcBytesService<Methods, B>
}

function mapMethods<Methods extends object>(
  service: ServiceType<Methods>,
  map: (method: MethodType<unknown, unknown>) => object,
): object {
  const methods = Object.entries(service.methods as Record<string, MethodType<unknown, unknown>>)
  return Object.fromEntries(methods.map(([name, method]) => [name, map(method)]))
}

const callOf = ({ path, requestStream, responseStream }: MethodType<unknown, unknown>): object => ({
  path,
  requestStream,
  responseStream,
})

function messages<B extends Uint8Array>(
  method: MethodType<unknown, unknown>,
  { Buffer: maker, registry }: GrpcServiceOptions<B>,
): object {
  const send =
    (type: 'request' | 'response') =>
    (message: unknown): B =>
      asBuffer(maker, message instanceof Uint8Array ? message : method[type].encode(message, registry))
  const take =
    (type: 'request' | 'response') =>
    (bytes: Uint8Array): unknown => {
      const decoded = method[type].decode(bytes, registry)
      if (decoded.ok) return decoded.value
      throw new Error(decoded.diagnostics.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '))
    }
  return {
    ...callOf(method),
    requestSerialize: send('request'),
    requestDeserialize: take('request'),
    responseSerialize: send('response'),
    responseDeserialize: take('response'),
  }
}

function asBuffer<B extends Uint8Array>(maker: BufferMaker<B>, bytes: Uint8Array): B {
  return maker.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
