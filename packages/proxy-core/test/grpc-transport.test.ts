import { Server, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { createGrpcTransport } from '../src/xds/grpc-transport.js'
import { issue } from './certificates.js'

const root = issue({ commonName: 'root', ca: true })
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown()
})

/** How a stream to a server that knows no method ends, by TLS to 127.0.0.1. */
async function endOf(names: { readonly ips?: readonly string[]; readonly dns?: readonly string[] }): Promise<string> {
  const { certificate, key } = issue({ commonName: 'plane', ...names }, root)
  const server = new Server()
  servers.push(server)
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  const transport = createGrpcTransport({ target: `127.0.0.1:${port}`, tls: () => ({ rootCertificates: root.certificate }) })
  const reason = await new Promise<string>((onClose) => transport.open('/none/None', { onMessage() {}, onClose }))
  transport.close()
  return reason
}

test('a server that is asked for by its address must have that address in its certificate, and no other name', async () => {
  expect(await endOf({ ips: ['127.0.0.1'] })).toMatch(/^12 UNIMPLEMENTED/)
  expect(await endOf({ ips: ['127.0.0.2'] })).toMatch(/^14 UNAVAILABLE.*IP: 127\.0\.0\.1 is not in the cert's list/)
  expect(await endOf({ dns: ['ip-address.invalid'] })).toMatch(/^14 UNAVAILABLE/)
})
