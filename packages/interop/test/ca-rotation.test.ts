import { setTimeout as after } from 'node:timers/promises'
import {
  createRootRotation,
  createSelfSignedAuthority,
  issueIdentity,
  type ReplaceableAuthority,
  workloadGrant,
} from '@heddle/ca'
import type { WorkloadIdentity } from '@heddle/proxy-core'
import { systemClock as clock, createWatch } from '@heddle/runtime'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from '../src/free-ports.js'
import { handshake, handshakeLoad } from '../src/handshake.js'
import { startMutualTls } from '../src/mutual-tls-listener.js'

// Our proxy takes mTLS connections while the root of both sides changes under it.

const SOAK = process.env['HEDDLE_SOAK'] !== undefined
const SERVER = 'spiffe://cluster.local/ns/shop/sa/server'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function identityOf(authority: ReplaceableAuthority, serviceAccount: string): Promise<WorkloadIdentity> {
  return issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount }))
}

test(
  'CVE-2022-21654: a root changes in three phases under load: no handshake fails, and what the old root signed is refused after, resumptions too',
  async () => {
    const [authority, next] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
    const rotation = createRootRotation({ authority, clock })
    const [port = 0] = await freePorts(1)
    const server = createWatch(await identityOf(authority, 'server'))
    let client = await identityOf(authority, 'client')
    const proxy = await startMutualTls(port, server)
    closers.push(() => proxy.close())
    const load = handshakeLoad({ concurrency: 4, next: () => ({ port, identity: client, expected: SERVER }) })
    const old = client
    const versions = ['TLSv1.2', 'TLSv1.3'] as const
    const sessions = new Map<string, readonly Buffer[]>()
    const keepSessions = async (): Promise<void> => {
      for (const version of versions) {
        const made = await handshake({ port, identity: old, expected: SERVER, version })
        expect(made.error).toMatch(/200 OK/)
        sessions.set(version, [...(sessions.get(version) ?? []), ...made.sessions])
      }
    }
    /** Whoever began before a change has ended, and others have begun under it; in --soak for a while. */
    const pass = (): Promise<unknown> => Promise.all([load.goesOn(50), after(SOAK ? 20_000 : 0)])
    /** What a phase sends out has arrived when this has resolved: at the server first, then at the client. */
    const phaseArrives = async (): Promise<void> => {
      const trustBundle = authority.trustBundle.current.join('')
      server.set({ ...server.current, trustBundle })
      client = { ...client, trustBundle }
      await pass()
    }
    const renew = async (): Promise<void> => {
      server.set(await identityOf(authority, 'server'))
      await load.goesOn(1)
      client = await identityOf(authority, 'client')
      await pass()
    }
    await keepSessions()
    rotation.trustBoth({ signer: next.signer.current, trustBundle: next.trustBundle.current })
    await phaseArrives()
    await keepSessions()
    rotation.signNew()
    await renew()
    rotation.dropOld({ force: true })
    await phaseArrives()
    await load.stop()
    expect(load.failures).toEqual([])
    expect(load.done).toBeGreaterThan(50)

    // The server trusts the new root only; the old client knows both, so that nothing but its own certificate is in the way.
    const stale = { ...old, trustBundle: [...next.trustBundle.current, old.trustBundle].join('') }
    const tries = versions.flatMap((version) =>
      [undefined, ...(sessions.get(version) ?? []), ...load.sessions].map((session) =>
        handshake({ port, identity: stale, expected: SERVER, version, ...(session === undefined ? {} : { session }) }),
      ),
    )
    const results = await Promise.all(tries)
    expect(results.filter(({ ok }) => ok)).toEqual([])
    expect((await handshake({ port, identity: client, expected: SERVER })).ok).toBe(true)
    console.log(
      `${load.done} handshakes; ${results.length} with the old root refused, ${results.length - 2} of them with a session`,
    )
  },
  SOAK ? 180_000 : 60_000,
)
