import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { main } from '../src/main.js'
import { createTestIo } from '../src/testing.js'

const ID = 'spiffe://cluster.local/ns/shop/sa/cart'
let folder: string
let root: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-ca-'))
  root = join(folder, 'root')
  expect((await heddle('init', root)).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true }))

async function heddle(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return heddleWith('', ...argv)
}
async function heddleWith(input: string, ...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = createTestIo(input)
  const code = await main(['ca', ...argv], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}
const read = (...parts: string[]): string => readFileSync(join(folder, ...parts), 'utf8')
const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

describe('ca init', () => {
  test("makes istiod's four files, the key for the owner only", async () => {
    const root = join(folder, 'fresh')
    await heddle('init', root)
    expect(readdirSync(root).sort()).toEqual(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'])
    expect(statSync(join(root, 'ca-key.pem')).mode & 0o777).toBe(0o600)
    const certificate = new X509Certificate(read('fresh', 'ca-cert.pem'))
    expect([certificate.ca, certificate.subject]).toEqual([true, 'O=cluster.local'])
    expect(certificate.subjectAltName).toBe('URI:spiffe://cluster.local')
    expect(await heddle('init', join(folder, 'wrong'), '--trust-domain', 'Cluster.Local')).toMatchObject({ code: 64 })
    expect(openssl('verify', '-x509_strict', '-CAfile', 'fresh/root-cert.pem', 'fresh/cert-chain.pem')).toContain('OK')
  })

  test('touches nothing that is there', async () => {
    const before = read('root', 'ca-key.pem')
    const again = await heddle('init', root)
    expect([again.code, again.stderr]).toEqual([66, expect.stringContaining('not empty')])
    expect(read('root', 'ca-key.pem')).toBe(before)
  })

  test('under another CA makes an intermediate, whose leaves OpenSSL verifies', async () => {
    const made = await heddle(
      'init',
      join(folder, 'east'),
      '--root',
      root,
      '--organization',
      'east',
      '--key-algorithm',
      'p-384',
      '--ttl',
      '90d',
      '-o',
      'json',
    )
    expect(JSON.parse(made.stdout)).toMatchObject({ selfSigned: false, serial: expect.stringMatching(/^[0-9a-f]+$/) })
    expect(read('east', 'root-cert.pem')).toBe(read('root', 'root-cert.pem'))
    expect((await heddle('issue', join(folder, 'east'), ID, '--out', join(folder, 'cart'))).code).toBe(0)
    const chain = ['-CAfile', 'cart/root-cert.pem', '-untrusted', 'cart/cert-chain.pem', 'cart/cert-chain.pem']
    expect(openssl('verify', '-x509_strict', '-purpose', 'sslclient', ...chain)).toContain('OK')
    expect(statSync(join(folder, 'cart/key.pem')).mode & 0o777).toBe(0o600)
  })
})

describe('ca issue', () => {
  test('prints key and chain; with -o json all of it as one object', async () => {
    const text = await heddle('issue', root, ID)
    expect(text.stdout).toMatch(/^-----BEGIN PRIVATE KEY-----[\s\S]+-----BEGIN CERTIFICATE-----/)
    const issued = JSON.parse(
      (await heddle('issue', '--ca', root, '-n', 'shop', '-s', 'cart', '--ttl', '1h', '-o', 'json')).stdout,
    )
    const leaf = new X509Certificate(issued.certificateChain)
    expect([issued.spiffeId, leaf.subjectAltName]).toEqual([ID, `URI:${ID}`])
    expect(leaf.checkPrivateKey(createPrivateKey(issued.privateKey))).toBe(true)
    expect(Date.parse(issued.notAfter) - Date.now()).toBeLessThanOrEqual(3_600_000)
    expect(issued.trustBundle).toBe(read('root', 'root-cert.pem'))
  })

  test('for servers, by DNS names and addresses', async () => {
    const { stdout } = await heddle(
      'issue',
      root,
      '--dns',
      'istiod.istio-system.svc',
      '--dns',
      'localhost',
      '--ip',
      '127.0.0.1',
      '--key-algorithm',
      'Ed25519',
    )
    const leaf = new X509Certificate(stdout.slice(stdout.indexOf('-----BEGIN CERTIFICATE')))
    expect(leaf.subjectAltName).toBe('DNS:istiod.istio-system.svc, DNS:localhost, IP Address:127.0.0.1')
  })

  test("signs somebody's request: its key, not its names", async () => {
    openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'k.pem',
      '-out',
      'csr.pem',
      '-subj',
      '/CN=istiod',
      '-addext',
      'subjectAltName=URI:spiffe://cluster.local/ns/istio-system/sa/istiod',
    )
    const { stdout } = await heddleWith(read('csr.pem'), 'issue', root, ID, '--csr', '-')
    const leaf = new X509Certificate(stdout)
    expect([leaf.subjectAltName, leaf.subject ?? '']).toEqual([`URI:${ID}`, ''])
    expect(leaf.checkPrivateKey(createPrivateKey(read('k.pem')))).toBe(true)
  })

  test.each([
    ['nobody', [], 64, 'for whom'],
    ['no SPIFFE ID', ['https://example.com'], 64, 'spiffe://'],
    ['a trust domain', ['spiffe://cluster.local'], 64, 'has a path'],
    ['an ID and an account', [ID, '-s', 'cart'], 64, 'not both'],
    ['no time', [ID, '--ttl', 'soon'], 64, 'like 24h'],
    ['too long a life', [ID, '--ttl', '91d'], 66, 'at most'],
    ['no address', ['--ip', '1.2.3'], 64, 'not an IP address'],
    ['a curve that is unknown', [ID, '--key-algorithm', 'P-521'], 64, 'P-256'],
    ['no request', [ID, '--csr', '/nowhere/csr.pem'], 66, 'cannot read'],
  ])('for %s says what is wrong', async (_, more, code, why) => {
    const result = await heddle('issue', root, ...more)
    expect([result.code, result.stderr, result.stdout]).toEqual([code, expect.stringContaining(why), ''])
  })

  test('without a CA says which file is missing', async () => {
    expect(await heddle('issue', join(folder, 'nowhere'), ID)).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('ca-cert.pem'),
    })
    expect(await heddle('issue')).toMatchObject({ code: 64 })
  })
})

describe('ca revoke', () => {
  test('keeps a list that OpenSSL takes; a revoked certificate is refused by it', async () => {
    expect((await heddle('issue', root, ID, '--out', join(folder, 'good'))).code).toBe(0)
    expect((await heddle('issue', root, ID, '--out', join(folder, 'bad'))).code).toBe(0)
    const revoked = await heddle(
      'revoke',
      root,
      join(folder, 'bad/cert-chain.pem'),
      '0A:1b',
      '--reason',
      'keyCompromise',
      '-o',
      'json',
    )
    expect(JSON.parse(revoked.stdout).revoked).toMatchObject([{ reason: 'keyCompromise' }, { serial: 'a1b' }])
    const verify = (name: string): string =>
      openssl('verify', '-crl_check', '-CRLfile', 'root/crl.pem', '-CAfile', 'root/root-cert.pem', `${name}/cert-chain.pem`)
    expect(verify('good')).toContain('OK')
    expect(() => verify('bad')).toThrow('certificate revoked')
    expect((await heddle('revoke', root)).stdout).toContain('2 revoked')
    expect(await heddle('revoke', root, '--reason', 'boredom')).toMatchObject({ code: 64 })
    expect(await heddle('revoke', root, 'nothing.pem')).toMatchObject({ code: 66 })
  })
})

describe('ca bundle', () => {
  test('is PEM, or what others federate with, and reads both', async () => {
    const spiffe = await heddle('bundle', root, '-o', 'spiffe', '--sequence', '7', '--refresh-hint', '5m')
    expect(JSON.parse(spiffe.stdout)).toMatchObject({
      keys: [{ use: 'x509-svid', kty: 'EC' }],
      spiffe_sequence: 7,
      spiffe_refresh_hint: 300,
    })
    writeFileSync(join(folder, 'bundle.json'), spiffe.stdout)
    await heddle('issue', root, ID, '--out', join(folder, 'leaf'))
    const pem = await heddle('bundle', join(folder, 'bundle.json'), root)
    expect(pem.stdout).toBe(read('root', 'root-cert.pem'))
    expect(await heddle('bundle', join(folder, 'leaf/cert-chain.pem'))).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('no CA'),
    })
    expect(await heddle('bundle')).toMatchObject({ code: 64 })
  })
})

describe('ca rotate', () => {
  test('goes through three phases; drop-old is refused while certificates may be in use', async () => {
    const [ca, next] = [join(folder, 'rotated'), join(folder, 'next')]
    await heddle('init', ca)
    await heddle('init', next, '--key-algorithm', 'P-384')
    const phase = async (...more: string[]): Promise<string> =>
      JSON.parse((await heddle('rotate', ca, '-o', 'json', ...more)).stdout || '{}').phase
    const roots = (): number => readFileSync(join(ca, 'root-cert.pem'), 'utf8').split('BEGIN').length - 1
    expect(await phase()).toBe('stable')
    expect(await heddle('rotate', ca, '--phase', 'sign-new')).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('comes after'),
    })
    expect(await heddle('rotate', ca, '--phase', 'trust-both')).toMatchObject({ code: 64 })
    expect([await phase('--phase', 'trust-both', '--next', next), roots()]).toEqual(['trust-both', 2])
    expect([await phase('--phase', 'sign-new'), roots()]).toEqual(['sign-new', 2])
    const { stdout } = await heddle('issue', ca, ID)
    const leaf = new X509Certificate(stdout.slice(stdout.indexOf('-----BEGIN CERTIFICATE')))
    expect(leaf.verify(new X509Certificate(readFileSync(join(next, 'ca-cert.pem'))).publicKey)).toBe(true)
    expect(await heddle('rotate', ca, '--phase', 'drop-old')).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('valid until'),
    })
    expect([await phase('--phase', 'drop-old', '--force'), roots()]).toEqual(['stable', 1])
    expect(await heddle('rotate', ca, '--phase', 'sideways')).toMatchObject({ code: 64 })
    expect(await heddle('rotate', join(folder, 'nowhere'))).toMatchObject({ code: 66 })
  })
})

describe('control-plane --ca-dir', () => {
  test('serves the CA of the folder, and follows it through a rotation', async () => {
    const [ca, next, config] = [join(folder, 'cacerts'), join(folder, 'cacerts-next'), join(folder, 'config')]
    const parent = join(folder, 'offline-root')
    await heddle('init', parent)
    await heddle('init', ca, '--root', parent)
    await heddle('init', next)
    mkdirSync(config)
    const { io, stop } = stoppable()
    const ready = join(folder, 'ready.json')
    const args = [
      '--config',
      config,
      '--grpc-addr',
      '127.0.0.1:0',
      '--secure-grpc-addr',
      '127.0.0.1:0',
      '--http-addr',
      '127.0.0.1:0',
    ]
    const code = main(['control-plane', ...args, '--ca-dir', ca, '--ready-file', ready], io)
    const { http, secureGrpc } = await vi.waitFor(() => JSON.parse(readFileSync(ready, 'utf8')) as Record<string, string>, 20_000)
    const published = async (): Promise<{ keys: unknown[]; spiffe_sequence: number }> =>
      (await fetch(`http://${http}/spiffe-bundle`)).json() as Promise<{ keys: unknown[]; spiffe_sequence: number }>
    const before = await published()
    expect(before.keys).toHaveLength(1)
    const [host = '', port = ''] = (secureGrpc ?? '').split(':')
    const chainLength = await new Promise<number>((resolve, reject) => {
      const socket = connect({
        host,
        port: Number(port),
        ca: readFileSync(join(parent, 'root-cert.pem')),
        ALPNProtocols: ['h2'],
        servername: 'istiod.istio-system.svc',
      })
      socket.on('error', reject)
      socket.on('secureConnect', () => {
        const peer = socket.getPeerCertificate(true)
        socket.destroy()
        resolve(peer.issuerCertificate?.issuerCertificate === undefined ? 1 : 2)
      })
    })
    expect(chainLength).toBe(2)
    expect((await heddle('rotate', ca, '--phase', 'trust-both', '--next', next)).code).toBe(0)
    await vi.waitFor(async () => expect((await published()).keys).toHaveLength(2), { timeout: 25_000, interval: 200 })
    expect((await published()).spiffe_sequence).toBeGreaterThan(before.spiffe_sequence)
    stop()
    expect(await code).toBe(0)
  }, 30_000)
})

function stoppable(): { io: ReturnType<typeof createTestIo>; stop(): void } {
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  return { io: { ...createTestIo(), stopped: () => stopped }, stop: () => stop() }
}
