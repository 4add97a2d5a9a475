import { Client, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { createSelfSignedAuthority, issueIdentity } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import { afterEach, expect, test } from 'vitest'
import { channelTo } from '../src/channel.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown()
})

/** What a call of a server that knows no method comes to, by TLS to 127.0.0.1. */
async function codeOf(name: { readonly ip: string } | { readonly dns: string }): Promise<status | undefined> {
  const authority = await createSelfSignedAuthority({ clock: systemClock })
  const { privateKey, certificateChain } = await issueIdentity(authority, { names: [name] })
  const server = new Server()
  servers.push(server)
  const pair = { private_key: Buffer.from(privateKey), cert_chain: Buffer.from(certificateChain) }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  const address = `127.0.0.1:${port}`
  const { credentials, channelOptions } = channelTo(address, authority.trustBundle.current.join(''))
  const client = new Client(address, credentials, channelOptions)
  const same = (bytes: Buffer): Buffer => bytes
  const code = await new Promise<status | undefined>((resolve) =>
    client.makeUnaryRequest('/none/None', same, same, Buffer.alloc(0), new Metadata(), (error) => resolve(error?.code)),
  )
  client.close()
  return code
}

test('a control plane that is asked for by its address must have that address in its certificate, and no other name', async () => {
  expect(await codeOf({ ip: '127.0.0.1' })).toBe(status.UNIMPLEMENTED)
  expect(await codeOf({ ip: '127.0.0.2' })).toBe(status.UNAVAILABLE)
  expect(await codeOf({ dns: 'ip-address.invalid' })).toBe(status.UNAVAILABLE)
})
