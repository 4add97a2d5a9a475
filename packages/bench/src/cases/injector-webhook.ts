import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { Contender, RoundContext, Sample } from '../bench-case.js'
import { workerCommand } from '../commands.js'
import { shopReview } from '../pods.js'
import { createCpuAccounting } from '../proc.js'
import { type Running, start, withProcesses } from '../running.js'
import type { ServedWebhook } from '../workers/injector-webhook.js'
import type { ReviewReport } from '../workers/review-load.js'

/** Connections with one review each: the API server asks webhooks by HTTP/1.1. */
export const IN_FLIGHT = 1_000
/** Below this share of a core the webhook was waiting for the load generator. */
const SATURATED = 0.9

/** The injector's webhook over TLS, with a worker as the API server. */
export function webhook(name: string): Contender {
  return {
    name,
    missing: undefined,
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

async function measure(
  { placement, effort, folder, built }: RoundContext,
  { port }: ServedWebhook,
  { pid }: Running,
): Promise<Sample> {
  const file = join(folder, 'review.json')
  await writeFile(file, shopReview(0))
  const words = [...workerCommand('review-load', built), String(port), file, String(IN_FLIGHT)]
  return withProcesses(async (keep) => {
    const load = keep(start(placement, 'load', words))
    await load.line()
    load.send(`${effort.warmupSeconds} ${effort.measureSeconds}`)
    await load.line()
    const accounting = createCpuAccounting()
    const before = accounting?.of(pid)
    const { requests, seconds, bad, ...more } = JSON.parse(await load.line()) as ReviewReport
    const cpu = accounting === undefined || before === undefined ? undefined : accounting.of(pid) - before
    const problem = problemOf(requests, bad, cpu === undefined ? undefined : cpu / seconds)
    return {
      value: requests / seconds,
      cpuMicros: cpu === undefined ? undefined : (cpu / requests) * 1e6,
      more,
      ...(problem === undefined ? {} : { unusable: problem }),
    }
  })
}

function problemOf(requests: number, bad: number, share: number | undefined): string | undefined {
  if (requests === 0) return 'no review was answered'
  if (bad > 0) return `of ${requests} reviews ${bad} were not answered with 200`
  if (share === undefined || share >= SATURATED) return undefined
  return `the load generator was the limit: the webhook used ${(share * 100).toFixed(0)} % of its core`
}

function ask({ port, ca }: ServedWebhook, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca, path: '/inject', method: 'POST', agent: false }
    const call = request({ ...options, headers: { 'content-type': 'application/json' } }, (response) => {
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
