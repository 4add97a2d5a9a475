import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { systemClock as clock, systemRandom as random } from '@heddle/runtime'
import { type Child, startChild } from './child.js'
import { eventually } from './eventually.js'
import { freePorts } from './free-ports.js'
import { findEtcd, findKubeApiserver } from './tools.js'

/** What the API server answers. */
export interface KubernetesAnswer {
  readonly status: number
  /** The object, or a `Status` that says why not. */
  readonly body: Readonly<Record<string, unknown>> & { readonly message?: string }
}

/** An API server of its own with its etcd: nothing else of Kubernetes, so that pods are created and never run. */
export interface Kubernetes {
  /** As cluster-admin. A field that Kubernetes does not know is an error. */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<KubernetesAnswer>
  stop(): Promise<void>
}

const START_MS = 120_000

export async function startKubernetes(): Promise<Kubernetes> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-kubernetes-'))
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    for (const child of children.reverse()) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [client = 0, peer = 0, port = 0] = await freePorts(3)
    const token = randomUUID()
    const ca = await writeFiles(folder, token)
    children.push(startChild(findEtcd().path, etcdFlags(folder, client, peer)))
    const server = startChild(findKubeApiserver().path, serverFlags(folder, client, port))
    children.push(server)
    const call = caller(port, ca, token)
    await eventually(
      () => (server.ended ? -1 : call('GET', '/readyz').then(({ status }) => status)),
      (status) => status === 200 || status === -1,
      START_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${server.output.slice(-4_000)}`)
    })
    if (server.ended) throw new Error(`kube-apiserver has ended: ${server.output.slice(-4_000)}`)
    return { call, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Certificates, the key of service accounts, the one user. Gives the root to believe. */
async function writeFiles(folder: string, token: string): Promise<string> {
  const authority = await createSelfSignedAuthority({ clock })
  const certificate = createServerCertificate({ authority, names: [{ ip: '127.0.0.1' }], clock, random })
  const { certificateChain, privateKey } = await certificate.ready()
  certificate.close()
  const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const files = {
    'server.pem': certificateChain,
    'server.key': privateKey,
    'accounts.pem': accounts.publicKey.export({ type: 'spki', format: 'pem' }),
    'accounts.key': accounts.privateKey.export({ type: 'sec1', format: 'pem' }),
    'tokens.csv': `${token},admin,admin,"system:masters"\n`,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  return authority.trustBundle.current.join('\n')
}

function etcdFlags(folder: string, client: number, peer: number): string[] {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  return [
    ...['--data-dir', join(folder, 'etcd'), '--name', 'only', '--initial-cluster', `only=${peers}`],
    ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
  ]
}

function serverFlags(folder: string, etcd: number, port: number): string[] {
  const flags = {
    'etcd-servers': `http://127.0.0.1:${etcd}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': join(folder, 'server.pem'),
    'tls-private-key-file': join(folder, 'server.key'),
    'token-auth-file': join(folder, 'tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': join(folder, 'accounts.pem'),
    'service-account-signing-key-file': join(folder, 'accounts.key'),
    'service-cluster-ip-range': '10.96.0.0/16',
    // It serves this machine only, which nobody is to be sent to.
    'endpoint-reconciler-type': 'none',
    profiling: false,
  }
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

function caller(port: number, ca: string, token: string): Kubernetes['call'] {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const headers = { authorization: `Bearer ${token}`, 'content-type': type, accept: 'application/json' }
      const strict = method === 'GET' ? path : `${path}${path.includes('?') ? '&' : '?'}fieldValidation=Strict`
      const req = request({ host: '127.0.0.1', port, ca, method, path: strict, headers }, (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (part: string) => (text += part))
        res.on('end', () => {
          const object = text.startsWith('{') ? (JSON.parse(text) as KubernetesAnswer['body']) : { message: text }
          resolve({ status: res.statusCode ?? 0, body: object })
        })
      })
      req.on('error', reject)
      req.end(body === undefined ? undefined : JSON.stringify(body))
    })
}
