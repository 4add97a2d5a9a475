import { type MethodDefinition, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js'

/** A gRPC server whose `/test.Greeter/Who` answers its name. Messages are bare bytes. */
export interface Greeter {
  readonly name: string
  readonly port: number
  /** Calls answered so far. */
  readonly answered: number
  close(): void
}

const pass = (bytes: Buffer): Buffer => bytes
export const WHO: MethodDefinition<Buffer, Buffer> = {
  path: '/test.Greeter/Who',
  requestStream: false,
  responseStream: false,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
}

type Reply = (error: { code: number } | null, answer?: Buffer) => void

/** Adds the greeter to a server of any kind. A caller may ask for failures first: `fail-first: 2`. */
export function addGreeter(server: Pick<Server, 'addService'>, name: string, answered: () => void = () => {}): void {
  server.addService(
    { Who: WHO },
    {
      Who({ metadata }: ServerUnaryCall<Buffer, Buffer>, reply: Reply) {
        const attempt = Number(metadata.get('grpc-previous-rpc-attempts')[0] ?? 0)
        if (attempt < Number(metadata.get('fail-first')[0] ?? 0)) return reply({ code: status.UNAVAILABLE })
        answered()
        reply(null, Buffer.from(name))
      },
    },
  )
}

/** Resolves with the port that was bound. */
export function bind(
  server: Server,
  address: string,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)))
  })
}

export async function startGreeter(name: string, credentials?: ServerCredentials): Promise<Greeter> {
  const server = new Server()
  let answered = 0
  addGreeter(server, name, () => void answered++)
  const port = await bind(server, '127.0.0.1:0', credentials)
  return {
    name,
    port,
    get answered() {
      return answered
    },
    close: () => server.forceShutdown(),
  }
}
