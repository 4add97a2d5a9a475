import { Server, ServerCredentials } from '@grpc/grpc-js'

/** A gRPC server whose `/test.Greeter/Who` answers its name. Messages are bare bytes. */
export interface Greeter {
  readonly name: string
  readonly port: number
  /** Calls answered so far. */
  readonly answered: number
  close(): void
}

const pass = (bytes: Buffer): Buffer => bytes
const WHO = {
  path: '/test.Greeter/Who',
  requestStream: false,
  responseStream: false,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
} as const

export async function startGreeter(name: string): Promise<Greeter> {
  const server = new Server()
  let answered = 0
  const answer = (_call: unknown, reply: (error: null, answer: Buffer) => void): void => {
    answered++
    reply(null, Buffer.from(name))
  }
  server.addService({ Who: WHO }, { Who: answer })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return {
    name,
    port,
    get answered() {
      return answered
    },
    close: () => server.forceShutdown(),
  }
}
