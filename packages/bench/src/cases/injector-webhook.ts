import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { systemClock } from '@heddle/runtime'
import type { Contender, RoundContext, Sample } from '../bench-case.js'
import { workerCommand } from '../commands.js'
import { findWrk, missingProgram } from '../peers/find.js'
import { shopReview } from '../pods.js'
import { createCpuAccounting } from '../proc.js'
import { type Running, start, withProcesses } from '../running.js'
import type { ServedWebhook } from '../workers/injector-webhook.js'
import { runWrk } from '../wrk.js'
import type { LoadReport } from './http-proxy/measure.js'

/** Connections with one review each: the API server asks webhooks by HTTP/1.1. */
export const IN_FLIGHT = 1_000
/** Below this share of a core the webhook was waiting for the load generator. */
const SATURATED = 0.9
const JSON_TYPE = { 'content-type': 'application/json' }

/** The injector's webhook over TLS, with wrk as the API server. */
export function webhook(name: string): Contender {
  return {
    name,
    missing: findWrk() === undefined ? missingProgram('wrk') : undefined,
    check: (context) =>
      withWebhook(context, async ({ served }) => {
        for (let i = 0; i < 5; i++) verify(await ask(served, shopReview(i)), `u-${i}`)
      }),
    measure: (context) => withWebhook(context, ({ served, running }) => measure(context, served, running)),
  }
}

interface Webhook {
  readonly served: ServedWebhook
  readonly running: Running
}

function withWebhook<T>(context: RoundContext, use: (webhook: Webhook) => Promise<T>): Promise<T> {
  return withProcesses(async (keep) => {
    const running = keep(start(context.placement, 'subject', workerCommand('injector-webhook', context.built)))
    return use({ served: JSON.parse(await running.line()) as ServedWebhook, running })
  })
}

async function measure({ placement, effort, folder }: RoundContext, { port }: ServedWebhook, { pid }: Running): Promise<Sample> {
  const post = join(folder, 'review.json')
  await writeFile(post, shopReview(0))
  const load = { placement, url: `https://127.0.0.1:${port}/inject`, connections: IN_FLIGHT, post, headers: JSON_TYPE }
  await runWrk({ ...load, seconds: effort.warmupSeconds })
  const accounting = createCpuAccounting()
  const [cpu, at] = [accounting?.of(pid), systemClock.monotonic()]
  const report = await runWrk({ ...load, seconds: effort.measureSeconds })
  const used = accounting === undefined || cpu === undefined ? undefined : accounting.of(pid) - cpu
  const problem = problemOf(report, used, (systemClock.monotonic() - at) / 1000)
  return {
    value: report.requests / report.seconds,
    cpuMicros: used === undefined ? undefined : (used / report.requests) * 1e6,
    more: report.more,
    ...(problem === undefined ? {} : { unusable: problem }),
  }
}

function problemOf(
  { requests, badStatus, socketErrors }: LoadReport,
  cpu: number | undefined,
  seconds: number,
): string | undefined {
  if (requests === 0) return 'no review was answered'
  if (badStatus + socketErrors > 0) return `of ${requests} reviews ${badStatus} got a bad status, ${socketErrors} an error`
  if (cpu === undefined || cpu / seconds >= SATURATED) return undefined
  return `the load generator was the limit: the webhook used ${((cpu / seconds) * 100).toFixed(0)} % of its core`
}

function ask({ port, ca }: ServedWebhook, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca, path: '/inject', method: 'POST', agent: false }
    const call = request({ ...options, headers: JSON_TYPE }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
    })
    call.on('error', reject)
    call.end(body)
  })
}

function verify(answer: string, uid: string): void {
  const { response } = JSON.parse(answer) as { response?: { uid: string; patch?: string } }
  const patch = Buffer.from(response?.patch ?? '', 'base64').toString()
  if (response?.uid !== uid || !patch.includes('"istio-proxy"')) throw new Error(`not injected: ${answer.slice(0, 200)}`)
}
