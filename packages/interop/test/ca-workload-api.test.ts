import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import {
  createJwtSvidIssuer,
  createRootRotation,
  createSelfSignedAuthority,
  fromPem,
  issueIdentity,
  readX509,
  trustBundles,
  workloadGrant,
} from '@heddle/ca'
import { createWorkloadApi, type WorkloadEntry } from '@heddle/ca/grpc'
import { systemClock as clock, createWatch } from '@heddle/runtime'
import { expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { findGoSpiffe } from '../src/tools.js'

const tool = findGoSpiffe()
const ID = 'spiffe://cluster.local/ns/shop/sa/cart'

/** What the client prints. */
interface Update {
  readonly id: string
  readonly serial: string
  readonly verified: boolean
  readonly authorities: number
  readonly trustDomains: readonly string[]
  readonly jwt?: string
}

describeWith(tool, `the SPIFFE Workload API, asked by ${tool.name} ${tool.version ?? ''}`, () => {
  test('an SVID is fetched; its rotation, a federated bundle, and each phase of a new root are seen', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-spiffe-'))
    const authority = await createSelfSignedAuthority({ clock })
    const federated = await createSelfSignedAuthority({ clock, trustDomain: 'other.example' })
    const next = await createSelfSignedAuthority({ clock })
    const jwt = await createJwtSvidIssuer({ clock })
    const bundles = () =>
      trustBundles({
        trustDomain: 'cluster.local',
        x509Authorities: authority.trustBundle.current,
        jwtAuthorities: jwt.jwtAuthorities,
      })
    const entry = async (): Promise<WorkloadEntry> => {
      const issued = await issueIdentity(
        authority,
        workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }),
      )
      return { ...issued, spiffeId: ID, notAfter: 0 }
    }
    const identities = createWatch([await entry()])
    const trust = createWatch(bundles())
    const server = new Server()
    createWorkloadApi({ identities, bundles: trust, jwt, clock }).addTo(server)
    const socket = join(folder, 'agent.sock')
    await new Promise((resolve, reject) =>
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(undefined),
      ),
    )
    const client = spawn(tool.path, ['reports'], {
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
    const seen = async (): Promise<Update> => JSON.parse((await lines.next()).value as string) as Update
    const serialNow = (): string => {
      const [der] = fromPem('CERTIFICATE', identities.current[0]?.certificateChain ?? '')
      const read = readX509(der as Uint8Array)
      return read.ok ? read.value.serial : ''
    }
    try {
      expect(await seen()).toEqual({ jwt: ID })
      const first = { id: ID, serial: serialNow(), verified: true, authorities: 1, trustDomains: ['cluster.local'] }
      expect(await seen()).toEqual(first)

      identities.set([await entry()])
      expect(serialNow()).not.toBe(first.serial)
      expect(await seen()).toEqual({ ...first, serial: serialNow() })

      const foreign = { trustDomain: 'other.example', x509Authorities: federated.trustBundle.current }
      trust.set(trustBundles(...bundles().values(), foreign))
      expect([...(await seen()).trustDomains].sort()).toEqual(['cluster.local', 'other.example'])

      const rotation = createRootRotation({ authority, clock })
      rotation.trustBoth({ signer: next.signer.current, trustBundle: next.trustBundle.current })
      trust.set(bundles())
      expect(await seen()).toMatchObject({ authorities: 2, verified: true })
      rotation.signNew()
      identities.set([await entry()])
      expect(await seen()).toMatchObject({ authorities: 2, verified: true, serial: serialNow() })
      rotation.dropOld({ force: true })
      trust.set(bundles())
      expect(await seen()).toMatchObject({ authorities: 1, verified: true, serial: serialNow() })
    } finally {
      client.kill()
      server.forceShutdown()
      rmSync(folder, { recursive: true, force: true })
    }
  }, 30_000)
})
