import cluster, { type Worker } from 'node:cluster'
import { type AdminAnswer, type AdminServer, createAdminServer, type SocketAddress, type WorkerShare } from '@heddle/proxy-core'
import { EXIT } from '../command.js'
import type { FromWorker, ToWorker } from './messages.js'
import { WORKER_INDEX } from './worker.js'

export interface SupervisorOptions {
  /** Two or more. */
  readonly workers: number
  /** Where the admin interface of them all is served. */
  readonly admin: SocketAddress | undefined
  /** The workers serve; the admin interface is bound to this address. */
  started(admin: SocketAddress | undefined): void
  /** Resolves when all of them shall drain and leave. */
  stopped(): Promise<void>
  /** A worker that served has ended by itself: the others drain and leave. */
  lost(reason: string): void
}

/**
 * Runs this very command line in worker processes. Each is a whole proxy; one admin interface speaks for all: counters are sums,
 * what an operator changes is changed everywhere, configuration is the first worker's. When one ends, so do the others, after
 * they have drained. Resolves with the exit code: that of the first worker which did not end well.
 */
export async function superviseWorkers(options: SupervisorOptions): Promise<number> {
  cluster.setupPrimary({ serialization: 'advanced' })
  const workers: WorkerProcess[] = []
  // The first alone: what keeps one from starting keeps all, and is said once.
  workers.push(startWorker(0))
  if (await workers[0]!.started) {
    for (let index = 1; index < options.workers; index++) workers.push(startWorker(index))
    await Promise.all(workers.map(({ started }) => started))
  }
  let admin: AdminServer | undefined
  if (workers.every(({ code }) => code === undefined)) {
    const answer = (method: string, url: string): Promise<AdminAnswer> => answerForAll(workers, method, url)
    admin = options.admin && (await createAdminServer(options.admin, answer))
    options.started(admin?.address)
    await Promise.race([options.stopped(), ...workers.map(({ ended }) => ended)])
    for (const { fault } of workers) if (fault !== undefined) options.lost(fault)
  }
  for (const worker of workers) worker.tell({ kind: 'stop' })
  const codes = await Promise.all(workers.map(({ ended }) => ended))
  await admin?.close()
  return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok
}

async function answerForAll(workers: readonly WorkerProcess[], method: string, url: string): Promise<AdminAnswer> {
  const [first, ...rest] = workers
  if (method === 'POST') {
    const answers = await Promise.all(workers.map((worker) => worker.answer(method, url, [])))
    return answers[0]!
  }
  const shares = await Promise.all(rest.map((worker) => worker.share()))
  return first!.answer(method, url, shares)
}

interface WorkerProcess {
  /** False: it ended before it served. */
  readonly started: Promise<boolean>
  /** Its exit code; a signal counts as a fault. */
  readonly ended: Promise<number>
  /** Undefined while it runs. */
  readonly code: number | undefined
  /** How it ended, when not well. */
  readonly fault: string | undefined
  tell(message: ToWorker): void
  answer(method: string, url: string, others: readonly WorkerShare[]): Promise<AdminAnswer>
  share(): Promise<WorkerShare>
}

function startWorker(index: number): WorkerProcess {
  const worker: Worker = cluster.fork({ [WORKER_INDEX]: String(index) })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  let code: number | undefined
  let fault: string | undefined
  const ended = new Promise<number>((resolve) => {
    worker.once('exit', (exitCode: number | null, signal: string | null) => {
      code = exitCode ?? EXIT.internal
      if (code !== EXIT.ok) fault = `worker ${index} has ended ${signal === null ? `with code ${code}` : `by ${signal}`}`
      for (const { reject } of waiting.values()) reject(new Error(`worker ${index} has ended`))
      waiting.clear()
      resolve(code)
    })
  })
  const started = new Promise<boolean>((resolve) => {
    void ended.then(() => resolve(false))
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'started') {
        resolve(true)
        return
      }
      const asked = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.kind === 'failed') asked?.reject(new Error(message.problem))
      else asked?.resolve(message.kind === 'shared' ? message.share : message.answer)
    })
  })
  const tell = (message: ToWorker): void => {
    // One that has just died may still count as connected. Its `exit` says so, and rejects what it was asked: an error of the channel tells nothing more.
    if (worker.isConnected()) worker.send(message, () => {})
  }
  const ask = <T>(question: (id: number) => ToWorker): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (code !== undefined) {
        reject(new Error(`worker ${index} has ended`))
        return
      }
      waiting.set(++lastId, { resolve: resolve as (value: unknown) => void, reject })
      tell(question(lastId))
    })
  return {
    ...{ started, ended, tell },
    get code() {
      return code
    },
    get fault() {
      return fault
    },
    answer: (method, url, others) => ask((id) => ({ kind: 'answer', id, method, url, others })),
    share: () => ask((id) => ({ kind: 'share', id })),
  }
}
