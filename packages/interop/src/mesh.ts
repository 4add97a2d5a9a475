import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSelfSignedAuthority, issueIdentity, type ReplaceableAuthority, workloadGrant } from '@heddle/ca'
import type { OriginIndex } from '@heddle/config-model'
import { type ControlPlane, type ServedControlPlane, serveControlPlane } from '@heddle/mesh'
import { systemClock } from '@heddle/runtime'
import { dump } from 'js-yaml'
import type { AdsVariant, DataPlane, RunningDataPlane } from './data-plane.js'
import { type MeshObject, NAMESPACE } from './kinds.js'

export interface ProxyWanted {
  /** Of the workload, which is its service account too. */
  readonly name: string
  readonly type?: 'sidecar' | 'router'
  readonly labels: Readonly<Record<string, string>>
  /** Where requests of the app go in. */
  readonly httpProxyPort?: number
  readonly variant: AdsVariant
}

/** A control plane on a folder of YAML, and proxies of any make under it. */
export interface InteropMesh {
  /** Puts a file into the folder, at once and whole. */
  write(file: string, ...objects: readonly MeshObject[]): void
  remove(file: string): void
  start(dataPlane: DataPlane, wanted: ProxyWanted): Promise<RunningDataPlane>
  /** Types that the proxy has accepted, by their short names, once it has answered all that was sent. */
  accepted(name: string): Promise<string[]>
  /** The control plane, once a proxy was started. */
  readonly controlPlane: ControlPlane
  readonly origins: OriginIndex
  /** Every refusal so far, `type: reason`. */
  readonly refusals: readonly string[]
  /** Ends the control plane, lets `meanwhile` change things, and starts another at the same address. */
  replaceControlPlane(meanwhile: () => void | Promise<void>): Promise<void>
  /** Ends everything, proxies first. */
  close(): Promise<void>
}

export async function createInteropMesh(): Promise<InteropMesh> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-interop-'))
  const authority = await createSelfSignedAuthority({ clock: systemClock })
  const refusals: string[] = []
  const running: RunningDataPlane[] = []
  let served: ServedControlPlane | undefined

  const serve = async (grpcAddress: string): Promise<ServedControlPlane> => {
    const started = await serveControlPlane({ config: folder, grpcAddress })
    started.controlPlane.xds.subscribe((event) => {
      if (event.kind === 'nacked') refusals.push(`${shortName(event.typeUrl)}: ${event.error.message}`)
    })
    return started
  }
  // Started with the first proxy, so that the folder is complete by then.
  const control = async (): Promise<ServedControlPlane> => (served ??= await serve('127.0.0.1:0'))

  const current = (): ServedControlPlane => {
    if (served === undefined) throw new Error('no proxy was started')
    return served
  }

  return {
    get controlPlane() {
      return current().controlPlane
    },
    get origins() {
      return current().origins
    },
    refusals,
    write(file, ...objects) {
      const hidden = join(folder, `.${file}.new`)
      writeFileSync(hidden, objects.map((one) => dump(one)).join('---\n'))
      renameSync(hidden, join(folder, file))
    },
    remove: (file) => rmSync(join(folder, file)),
    async start(dataPlane, wanted) {
      const { addresses } = await control()
      const started = await dataPlane.start({
        control: addresses.grpc ?? '',
        variant: wanted.variant,
        node: nodeOf(wanted),
        identity: await identityOf(wanted.name, authority),
      })
      running.push(started)
      return started
    },
    async accepted(name) {
      const { xds } = (await control()).controlPlane
      await xds.applied()
      const stream = [...xds.status()].find(({ nodeId }) => nodeId?.includes(`~${name}.`))
      const types = [...(stream?.types.values() ?? [])]
      return types.filter(({ state }) => state === 'SYNCED').map(({ typeUrl }) => shortName(typeUrl))
    },
    async replaceControlPlane(meanwhile) {
      const old = await control()
      await old.close()
      await meanwhile()
      served = await serve(old.addresses.grpc ?? '')
    },
    async close() {
      await Promise.all(running.map((one) => one.close()))
      await served?.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function nodeOf({ name, type = 'sidecar', labels, httpProxyPort }: ProxyWanted) {
  const proxyPort = httpProxyPort === undefined ? {} : { HTTP_PROXY_PORT: String(httpProxyPort) }
  return {
    id: `${type}~127.0.0.1~${name}.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`,
    cluster: `${name}.${NAMESPACE}`,
    metadata: {
      NAME: name,
      NAMESPACE,
      SERVICE_ACCOUNT: name,
      LABELS: labels,
      INSTANCE_IPS: '127.0.0.1',
      INTERCEPTION_MODE: 'NONE',
      UNPRIVILEGED_POD: 'true',
      ...proxyPort,
    },
  }
}

function identityOf(serviceAccount: string, authority: ReplaceableAuthority): ReturnType<typeof issueIdentity> {
  return issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: NAMESPACE, serviceAccount }))
}

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster` -> `Cluster` */
function shortName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1)
}
