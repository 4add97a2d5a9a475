import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'

/** What the demo does from outside the mesh: HTTP, bare sockets, the command line, waiting. */

export interface Answer {
  status: number
  body: string
}

const WAIT_MS = 15_000

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks `get` until `good`; rejects after 15 s, naming what it waited for. */
export async function until<T>(get: () => Promise<T>, good: (value: T) => boolean, what: string): Promise<T> {
  const end = performance.now() + WAIT_MS
  let last: unknown
  while (performance.now() < end) {
    try {
      const value = await get()
      if (good(value)) return value
      last = value
    } catch (error) {
      last = error
    }
    await sleep(5)
  }
  throw new Error(
    `waited ${WAIT_MS / 1000} s in vain until ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)?.slice(0, 500)}`,
  )
}

export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: options.method ?? 'GET', headers: options.headers ?? {} }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: body.trim() }))
    })
    outgoing.on('error', reject)
    outgoing.end(options.body)
  })
}

export interface TlsAnswer extends Answer {
  /** Of the certificate that the server showed. */
  serial: string
}

/** GET over a connection of its own, to a server that must prove with `root` that it is `host`. */
export function askTls(port: number, host: string, path: string, root: string): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, servername: host, headers: { host }, ca: root, agent: false }
    const outgoing = requestTls(options, (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: body.trim(), serial }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

export async function askJson<T>(url: string, options?: Parameters<typeof ask>[1]): Promise<T> {
  const { status, body } = await ask(url, options)
  if (status !== 200) throw new Error(`${url}: ${status} ${body}`)
  return JSON.parse(body) as T
}

/** Speaks plaintext HTTP to a port. Refused: the connection ends without a byte of an answer. */
export function plaintextTo(port: number): Promise<{ refused: boolean; what: string }> {
  return new Promise((resolve) => {
    let got = ''
    let connected = false
    // A port where nobody listens refuses too, but proves nothing.
    const refused = (): boolean => connected && got === ''
    const socket = connect(port, '127.0.0.1', () => {
      connected = true
      socket.write('GET / HTTP/1.1\r\nhost: apps-svc-v1\r\nconnection: close\r\n\r\n')
    })
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
    })
    socket.on('error', (error) => resolve({ refused: refused(), what: error.message }))
    socket.on('close', () =>
      resolve({ refused: refused(), what: got === '' ? 'closed without an answer' : (got.split('\r\n')[0] ?? '') }),
    )
    socket.setTimeout(5000, () => {
      resolve({ refused: false, what: 'neither answered nor closed in 5 s' })
      socket.destroy()
    })
  })
}

export interface MetricSample {
  labels: Readonly<Record<string, string>>
  value: number
}

/** Samples of one metric in a Prometheus text page. */
export function parseMetrics(page: string, name: string): MetricSample[] {
  return page.split('\n').flatMap((line) => {
    const match = new RegExp(`^${name}\\{(.*)\\} (\\S+)$`).exec(line)
    if (match === null) return []
    const labels = Object.fromEntries(
      [...(match[1] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]),
    )
    return [{ labels, value: Number(match[2]) }]
  })
}

export interface CommandOutput {
  code: number
  stdout: string
  stderr: string
}

/** Runs the `heddle` command as a user would. */
export function runHeddle(args: readonly string[]): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('@heddle/cli/dist/heddle.js')), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: CommandOutput = { code: 0, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      output.stdout += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      output.stderr += String(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...output, code: code ?? 1 }))
  })
}
