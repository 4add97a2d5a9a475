import type { ClientSession } from '../http/codec.js'
import type { HeaderMap } from '../http/header-map.js'
import type { HttpResponse } from '../http/message.js'
import type { Connection } from '../net/connection.js'
import type { AttemptEvents, AttemptFailure } from '../upstream/pool.js'

/** What several attempts report to. */
export interface AttemptsOwner extends AttemptEvents {
  /** Nobody listens to this attempt any more: another one has begun, or will. */
  superseded(attempt: number): boolean
}

/** The events of one attempt among several: what a superseded one still says is for nobody. */
export class OneAttempt implements AttemptEvents {
  readonly #owner: AttemptsOwner
  readonly #number: number

  constructor(owner: AttemptsOwner, number: number) {
    this.#owner = owner
    this.#number = number
  }

  onConnected(connection: Connection, protocol: ClientSession['protocol']): void {
    if (!this.#owner.superseded(this.#number)) this.#owner.onConnected(connection, protocol)
  }

  onInterim(status: number, headers: HeaderMap): void {
    if (!this.#owner.superseded(this.#number)) this.#owner.onInterim?.(status, headers)
  }

  onResponse(response: HttpResponse): void {
    if (this.#owner.superseded(this.#number)) response.body.discard()
    else this.#owner.onResponse(response)
  }

  onEnd(): void {
    if (!this.#owner.superseded(this.#number)) this.#owner.onEnd()
  }

  onFailure(reason: AttemptFailure, error?: Error): void {
    if (!this.#owner.superseded(this.#number)) this.#owner.onFailure(reason, error)
  }
}
