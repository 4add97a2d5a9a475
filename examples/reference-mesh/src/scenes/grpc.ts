import { Client, credentials, type MethodDefinition, Server, ServerCredentials, status } from '@grpc/grpc-js'
import type { ReferenceMesh } from '../mesh.js'
import { ask } from '../outside.js'
import type { Scene } from '../scene.js'

// The messages of scenes/greeter.proto: one text in field 1.
const write = (text: string): Buffer => Buffer.concat([Buffer.from([0x0a, Buffer.byteLength(text)]), Buffer.from(text)])
const read = (message: Buffer): string => message.subarray(2).toString()
const method = (name: string, responseStream: boolean): MethodDefinition<string, string> => ({
  ...{ path: `/demo.Greeter/${name}`, requestStream: false, responseStream },
  ...{ requestSerialize: write, requestDeserialize: read, responseSerialize: write, responseDeserialize: read },
})
const HELLO = method('Hello', false)
const THRICE = method('HelloThrice', true)

/** The whole service: it knows everybody but `nobody`. */
async function startGreeter(): Promise<{ port: number; stop(): void }> {
  const server = new Server()
  server.addService(
    { Hello: HELLO, HelloThrice: THRICE },
    {
      Hello(call: { request: string }, reply: (error: object | null, message?: string) => void) {
        if (call.request === 'nobody') reply({ code: status.NOT_FOUND, details: 'nobody is here' })
        else reply(null, `hello, ${call.request}`)
      },
      HelloThrice(call: { request: string; write(message: string): void; end(): void }) {
        for (const word of ['hello', 'hello again', 'goodbye']) call.write(`${word}, ${call.request}`)
        call.end()
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number): void => (error ? reject(error) : resolve(at))
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound)
  })
  return { port, stop: () => server.forceShutdown() }
}

/** As a gRPC client outside the mesh calls. */
async function callHello(gatewayPort: number, name: string): Promise<string> {
  const client = new Client(`127.0.0.1:${gatewayPort}`, credentials.createInsecure(), {
    'grpc.default_authority': 'greeter.example',
  })
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(HELLO.path, write, read, name, (error, message) =>
        resolve(error === null ? String(message) : `${error.code} ${error.details}`),
      )
    })
  } finally {
    client.close()
  }
}

async function asJson({ gatewayPort }: ReferenceMesh, path: string): Promise<string> {
  const { status: code, body } = await ask(`http://127.0.0.1:${gatewayPort}${path}`, { headers: { host: 'greeter.example' } })
  return `${code} ${body}`
}

export const grpc: Scene = {
  title: 'A gRPC service through the gateway, by gRPC and as JSON',
  async run(mesh, report) {
    const greeter = await startGreeter()
    try {
      await mesh.apply('grpc.yaml', 'grpc.yaml', { PORT_GREETER: String(greeter.port) })
      const checks = [
        { what: 'gRPC', got: await callHello(mesh.gatewayPort, 'ann'), wants: 'hello, ann' },
        { what: 'gRPC, an error', got: await callHello(mesh.gatewayPort, 'nobody'), wants: '5 nobody is here' },
        { what: 'GET /v1/hello/ann', got: await asJson(mesh, '/v1/hello/ann'), wants: '200 {"message":"hello, ann"}' },
        {
          what: 'a stream, as a list',
          got: await asJson(mesh, '/v1/hello/ann/thrice'),
          wants: '200 [{"message":"hello, ann"},{"message":"hello again, ann"},{"message":"goodbye, ann"}]',
        },
        { what: 'an error', got: (await asJson(mesh, '/v1/hello/nobody')).slice(0, 3), wants: '404' },
      ]
      for (const { what, got, wants } of checks) report.check(got === wants, `${what}: ${got}`)
      await mesh.remove('grpc.yaml')
    } finally {
      greeter.stop()
    }
  },
}
