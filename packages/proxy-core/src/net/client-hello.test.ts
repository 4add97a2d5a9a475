import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readClientHello, readClientHelloParts } from './client-hello.js'

/** What node:tls says first. */
function helloOf(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk)
        done()
      },
    })
    connect({ socket: stream, rejectUnauthorized: false, ...options }).on('error', () => {})
  })
}

test("server name and ALPN in the client's order", async () => {
  const bytes = await helloOf({ servername: 'App.Example', ALPNProtocols: ['istio-http/1.1', 'istio', 'http/1.1'] })
  expect(readClientHello(bytes)).toEqual({
    kind: 'hello',
    hello: { serverName: 'app.example', alpn: ['istio-http/1.1', 'istio', 'http/1.1'] },
  })
})

test('all that it offers, in its order, for fingerprints', async () => {
  const terms = {
    minVersion: 'TLSv1.3',
    ecdhCurve: 'X25519:P-256',
    sigalgs: 'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256',
  } as const
  const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256'
  const parts = readClientHelloParts(await helloOf({ ...terms, ciphers, servername: 'a.example', ALPNProtocols: ['h2'] }))
  expect(parts).toMatchObject({ version: 0x0303, groups: [0x1d, 0x17], signatureAlgorithms: [0x0804, 0x0403], alpn: ['h2'] })
  expect([parts.versions, parts.ciphers.slice(0, 2)]).toEqual([[0x0304], [0x1302, 0x1301]])
  expect(parts.extensions).toEqual(expect.arrayContaining([0, 10, 13, 16, 43, 51]))
})

test('a hello of TLS 1.3 alone, split over segments and over records, is read all the same (CVE-2020-8660)', async () => {
  const bytes = await helloOf({ servername: 'a.example', minVersion: 'TLSv1.3' })
  for (let end = 0; end < bytes.length; end++) expect(readClientHello(bytes.subarray(0, end)).kind).toBe('more')
  const message = bytes.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += 40) {
    const part = message.subarray(at, at + 40)
    records.push(Buffer.from([0x16, 3, 1, 0, part.length]), part)
  }
  expect(readClientHello(Buffer.concat(records))).toMatchObject({ kind: 'hello', hello: { serverName: 'a.example' } })
})

test('what is no handshake is no TLS, what claims to be one and is not is malformed', async () => {
  expect(readClientHello(Buffer.from('GET / HTTP/1.1\r\n')).kind).toBe('not_tls')
  expect(readClientHello(Buffer.from([0x16, 3, 1, 0, 0])).kind).toBe('malformed')
  const bytes = await helloOf({ servername: 'victim.example' })
  const odd = Buffer.from(bytes)
  const at = odd.indexOf('victim.example')
  odd.write('vic\nim.example', at, 'latin1')
  expect(readClientHello(odd).kind).toBe('malformed')
})

test('any change of a hello is read, malformed or incomplete, and never a crash', async () => {
  const bytes = await helloOf({ servername: 'a.example', ALPNProtocols: ['h2'] })
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(bytes)
      changed[at] = value
      expect(['hello', 'more', 'not_tls', 'malformed']).toContain(readClientHello(changed).kind)
    }),
    { numRuns: 500 },
  )
})
