import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { ServiceType } from '@heddle/xds-types'
import { ClusterDiscoveryService } from '@heddle/xds-types/envoy/service/cluster/v3'
import { AggregatedDiscoveryService } from '@heddle/xds-types/envoy/service/discovery/v3'
import { EndpointDiscoveryService, LocalityEndpointDiscoveryService } from '@heddle/xds-types/envoy/service/endpoint/v3'
import { ExtensionConfigDiscoveryService } from '@heddle/xds-types/envoy/service/extension/v3'
import { ListenerDiscoveryService } from '@heddle/xds-types/envoy/service/listener/v3'
import {
  RouteDiscoveryService,
  ScopedRoutesDiscoveryService,
  VirtualHostDiscoveryService,
} from '@heddle/xds-types/envoy/service/route/v3'
import { RuntimeDiscoveryService } from '@heddle/xds-types/envoy/service/runtime/v3'
import { SecretDiscoveryService } from '@heddle/xds-types/envoy/service/secret/v3'
import {
  type ServerReflectionResponse as Answer,
  type ServerReflectionRequest as Question,
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '@heddle/xds-types/grpc/reflection/v1'
import { knownTypes } from '@heddle/xds-types/known'
import { type ApiDescriptors, describeApi } from '../reflection/api-descriptors.js'
import type { ProtoFile } from '../reflection/file-descriptors.js'
import { type Authenticate, peerOf } from './peer.js'
import { rawService } from './raw-service.js'

export interface AddReflectionOptions {
  /** Services that the server has besides those of discovery, and reflection itself; generated ones of `@heddle/xds-types`. */
  readonly services?: readonly ServiceType<object>[]
  /** Who may ask. Default: everybody; the answers tell of the API, of no client and no configuration. */
  readonly authenticate?: Authenticate
}

type Call = ServerDuplexStream<Buffer, Buffer>

const DISCOVERY: readonly ServiceType<object>[] = [
  ...[AggregatedDiscoveryService, ClusterDiscoveryService, EndpointDiscoveryService, LocalityEndpointDiscoveryService],
  ...[ListenerDiscoveryService, RouteDiscoveryService, ScopedRoutesDiscoveryService, VirtualHostDiscoveryService],
  ...[SecretDiscoveryService, ExtensionConfigDiscoveryService, RuntimeDiscoveryService, ServerReflection],
]

/** Both have the same messages; older tools ask for the second. */
const SERVICES = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'] as const

/**
 * Adds gRPC server reflection: tools like grpcurl learn from the server what it serves and what its messages look like, every message that an Any may
 * hold among them.
 */
export function addReflectionService(grpcServer: Server, { services = [], authenticate }: AddReflectionOptions = {}): void {
  let described: ApiDescriptors | undefined
  const serve = (call: Call): void => {
    described ??= describeApi(knownTypes.types, [...DISCOVERY, ...services])
    const answer = createAnswers(described)
    call.on('data', (bytes: Buffer) => {
      const question = ServerReflectionRequest.decode(bytes)
      if (question.ok) call.write(Buffer.from(ServerReflectionResponse.encode(answer(question.value))))
      else {
        const details = `not a ServerReflectionRequest: ${question.diagnostics[0]?.message}`
        call.emit('error', { code: status.INVALID_ARGUMENT, details })
      }
    })
    call.on('end', () => call.end())
  }
  for (const name of SERVICES) {
    grpcServer.addService(rawService(name, { ServerReflectionInfo: { streaming: true } }), {
      ServerReflectionInfo(call: Call) {
        call.on('error', () => {})
        if (authenticate === undefined) return serve(call)
        void Promise.resolve(authenticate(peerOf(call))).then((caller) => {
          if (caller.ok) serve(call)
          else
            call.emit('error', { code: status.UNAUTHENTICATED, details: caller.diagnostics[0]?.message ?? 'not authenticated' })
        })
      },
    })
  }
}

/** One stream's answers: a file goes with what it imports, and each only once. */
function createAnswers(api: ApiDescriptors): (question: Question) => Answer {
  const sent = new Set<string>()
  const withImports = (file: ProtoFile, asked = true): ProtoFile[] => {
    if (!asked && sent.has(file.name)) return []
    sent.add(file.name)
    const imported = file.dependencies.flatMap((name) => api.file(name) ?? [])
    return [file, ...imported.flatMap((each) => withImports(each, false))]
  }
  const found = (file: ProtoFile | undefined, what: string): Partial<Answer> => {
    if (file === undefined) return notFound(`${what} is not known here`)
    return { file_descriptor_response: { file_descriptor_proto: withImports(file).map(({ bytes }) => bytes) } } as Partial<Answer>
  }
  const reply = (question: Question): Partial<Answer> => {
    if (question.list_services !== undefined) {
      const service = [...api.services, SERVICES[1]].sort().map((name) => ({ name }))
      return { list_services_response: { service } }
    }
    if (question.file_by_filename !== undefined) return found(api.file(question.file_by_filename), question.file_by_filename)
    if (question.file_containing_symbol !== undefined)
      return found(api.fileOf(question.file_containing_symbol), question.file_containing_symbol)
    // The API has no extensions.
    return notFound('there are no extensions')
  }
  return (question) => ({ valid_host: question.host, original_request: question, ...reply(question) }) as Answer
}

function notFound(error_message: string): Partial<Answer> {
  return { error_response: { error_code: status.NOT_FOUND, error_message } } as Partial<Answer>
}
