import { setTimeout as after } from 'node:timers/promises'
import { createSelfSignedAuthority, issueIdentity, workloadGrant } from '@heddle/ca'
import type { WorkloadIdentity } from '@heddle/proxy-core'
import { systemClock as clock, createWatch } from '@heddle/runtime'
import { expect, test } from 'vitest'
import { freePorts } from '../src/free-ports.js'
import { handshakeLoad } from '../src/handshake.js'
import { startMutualTls } from '../src/mutual-tls-listener.js'

// Our proxy takes mTLS connections while the certificates of both sides change under it. A file of its own: it runs beside others.

const SOAK = process.env['HEDDLE_SOAK'] !== undefined
/** At least so long, so many handshakes, and a rotation for each tenth of a second, whichever comes last. */
const SECONDS = SOAK ? 600 : 60
const HANDSHAKES = 10_000
/** A busy machine gets so long; the test says what is asked of certificates, not how fast the machine is. */
const LONGEST_SECONDS = SECONDS + 300
/** A little more than needed, so that a quiet machine is not kept busy for nothing. */
const PER_SECOND = 185
const ROTATION_MS = 100
const ROTATIONS = (SECONDS * 1000) / ROTATION_MS
const SERVER = 'spiffe://cluster.local/ns/shop/sa/server'

test(
  `certificates change every ${ROTATION_MS} ms under load for ${SECONDS} s: of ${HANDSHAKES} handshakes and more none fails`,
  async () => {
    const authority = await createSelfSignedAuthority({ clock })
    const identityOf = (serviceAccount: string): Promise<WorkloadIdentity> =>
      issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount }))
    const [port = 0] = await freePorts(1)
    const server = createWatch(await identityOf('server'))
    let client = await identityOf('client')
    const proxy = await startMutualTls(port, server)
    const load = handshakeLoad({
      concurrency: 8,
      perSecond: PER_SECOND,
      next: () => ({ port, identity: client, expected: SERVER }),
    })
    try {
      const start = clock.monotonic()
      const seconds = (): number => (clock.monotonic() - start) / 1000
      let rotations = 0
      const enough = (): boolean => load.done >= HANDSHAKES && rotations >= ROTATIONS
      while (seconds() < SECONDS || (!enough() && seconds() < LONGEST_SECONDS)) {
        // What a busy machine has missed is made up for.
        await after(Math.max(0, start + ++rotations * ROTATION_MS - clock.monotonic()))
        server.set(await identityOf('server'))
        client = await identityOf('client')
      }
      await load.stop()
      console.log(`${load.done} handshakes, ${rotations} rotations, ${load.failures.length} failed in ${seconds().toFixed(1)} s`)
      expect(load.failures).toEqual([])
      expect(load.done).toBeGreaterThanOrEqual(HANDSHAKES)
      expect(rotations).toBeGreaterThanOrEqual(ROTATIONS)
    } finally {
      await load.stop()
      await proxy.close()
    }
  },
  (LONGEST_SECONDS + 60) * 1000,
)
