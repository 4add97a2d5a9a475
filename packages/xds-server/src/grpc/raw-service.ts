import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'

const pass = (bytes: Buffer): Buffer => bytes

/** A service whose messages pass as bytes: those who answer decode and encode. `methods`: name to which side streams: both, neither, or only who answers. */
export function rawService(
  service: string,
  methods: Readonly<Record<string, { readonly streaming: boolean | 'responses' }>>,
): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([name, { streaming }]): [string, MethodDefinition<Buffer, Buffer>] => [
      name,
      {
        path: `/${service}/${name}`,
        requestStream: streaming === true,
        responseStream: streaming !== false,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    ]),
  )
}
