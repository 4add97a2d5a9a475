import type { AdminAnswer, WorkerShare } from '@heddle/proxy-core'

/** What the supervisor says to a worker process. */
export type ToWorker =
  | { readonly kind: 'stop' }
  | { readonly kind: 'share'; readonly id: number }
  | {
      readonly kind: 'answer'
      readonly id: number
      readonly method: string
      readonly url: string
      /** What the other workers have counted. */
      readonly others: readonly WorkerShare[]
    }

/** What a worker process says to the supervisor. */
export type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'shared'; readonly id: number; readonly share: WorkerShare }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: AdminAnswer }
  | { readonly kind: 'failed'; readonly id: number; readonly problem: string }
