import { type Clock, createWatch, type Unsubscribe, type Watch, type WatchSource } from '@heddle/runtime'
import type { ReplaceableAuthority } from './authority.js'
import { createCrl, type Revocation, type RevocationReason } from './crl.js'
import { toPem } from './pem.js'

/** Keeps what is revoked beyond the process. */
export interface RevocationStore {
  load(): Promise<readonly Revocation[]>
  save(revoked: readonly Revocation[]): Promise<void>
}

export interface RevocationsOptions {
  /** Its signer signs the lists; a new signer signs a new one. */
  readonly authority: Pick<ReplaceableAuthority, 'signer'>
  readonly clock: Clock
  /** Default: in memory. */
  readonly store?: RevocationStore
  /** How long a list is good for; a new one is signed when half of it has passed. Default 24 h. */
  readonly lifetimeMs?: number
}

/** The certificates that an authority takes back, and the list that says so. */
export interface Revocations {
  /** The list, PEM (`X509 CRL`). Signed anew with each revocation, each new signer, and in good time before it runs out. */
  readonly crl: Watch<string>
  readonly revoked: readonly Revocation[]
  isRevoked(serial: string): boolean
  /** @param serial hex, colons allowed. What is revoked already stays as it was. */
  revoke(serial: string, reason?: RevocationReason): Promise<void>
  close(): void
}

const DAY = 86_400_000

export async function createRevocations(options: RevocationsOptions): Promise<Revocations> {
  const { authority, clock, store, lifetimeMs = DAY } = options
  let revoked: readonly Revocation[] = (await store?.load()) ?? []
  let number = 0
  let cancel: Unsubscribe = () => {}
  const sign = (): string => {
    const now = clock.now()
    // Grows over restarts too, without being kept (RFC 5280 §5.2.3).
    number = Math.max(number + 1, now)
    return toPem(
      'X509 CRL',
      createCrl(authority.signer.current, { revoked, number, thisUpdate: now, nextUpdate: now + lifetimeMs }),
    )
  }
  const crl: WatchSource<string> = createWatch(sign())
  const renew = (): void => {
    cancel()
    cancel = clock.after(lifetimeMs / 2, renew)
    crl.set(sign())
  }
  cancel = clock.after(lifetimeMs / 2, renew)
  const stop = authority.signer.subscribe(renew)
  return {
    crl,
    get revoked() {
      return revoked
    },
    isRevoked: (serial) => revoked.some((one) => one.serial === serial),
    async revoke(written, reason) {
      const serial = normalSerial(written)
      if (revoked.some((one) => one.serial === serial)) return
      const next = [...revoked, { serial, at: clock.now(), ...(reason === undefined ? {} : { reason }) }]
      // Kept before it is told: a list that forgets after a restart would let the certificate in again.
      await store?.save(next)
      revoked = next
      renew()
    },
    close() {
      stop()
      cancel()
    },
  }
}

/** Hex in lower case without colons and leading zeros. @throws TypeError for anything else. */
export function normalSerial(text: string): string {
  const serial = text
    .replaceAll(':', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
  if (!/^[0-9a-f]{1,40}$/.test(serial)) throw new TypeError(`${JSON.stringify(text)} is no serial number in hexadecimal`)
  return serial
}
