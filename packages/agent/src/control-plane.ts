import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { createWorkloadCertificate } from '@heddle/ca'
import { createCertificateClient } from '@heddle/ca/grpc'
import type { Clock, Logger, Random } from '@heddle/runtime'
import { channelTo } from './channel.js'
import type { NameSubscription } from './dns/names.js'
import { type Certificate, createOwnCertificate } from './own-certificate.js'
import { addSecretService } from './secret-server.js'
import { addXdsRelay } from './xds-relay.js'

/** The control plane, and what makes each believe the other. */
export interface ControlPlaneAccess {
  /** xDS: `istiod.istio-system.svc:15012` */
  readonly discoveryAddress: string
  /** Of the CA; default `discoveryAddress` with TLS, none without: then nobody believes the proxy's certificate. */
  readonly caAddress?: string
  /** PEM. Absent: plaintext, for trusted networks (controlPlaneAuthPolicy NONE). */
  readonly rootCertificate?: string
  /** The name in the control plane's certificate, where the address is another. */
  readonly serverName?: string
  /** The workload's token; read for each call. */
  token?(): Promise<string | undefined>
}

export interface ControlPlaneOptions {
  readonly access: ControlPlaneAccess
  /** Folder of the sockets `XDS` and `SDS`. */
  readonly sockets: string
  onAnswered(typeUrl: string): void
  /** For the DNS proxy. */
  readonly names?: NameSubscription
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ControlPlane {
  /** The sockets are open and the first certificate is there. */
  ready(): Promise<void>
  close(): void
}

/** The control plane as the proxy sees it: two Unix sockets, one for configuration and one for the certificate that the agent renews. */
export function connectControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { access, sockets, logger } = options
  const xds = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 })
  const relay = addXdsRelay(xds, {
    address: access.discoveryAddress,
    ...channelTo(access.discoveryAddress, access.rootCertificate, access.serverName),
    ...(access.token && { token: access.token }),
    onAnswered: options.onAnswered,
    ...(options.names === undefined ? {} : { names: options.names }),
    logger,
  })
  const certificate = keepCertificate(options)
  const sds = new Server()
  addSecretService(sds, certificate.identity)
  return {
    async ready() {
      await Promise.all([bindSocket(xds, join(sockets, 'XDS')), bindSocket(sds, join(sockets, 'SDS'))])
      await certificate.ready()
    },
    close() {
      certificate.close()
      relay.close()
      xds.forceShutdown()
      sds.forceShutdown()
    },
  }
}

function keepCertificate({ access, clock, random, logger }: ControlPlaneOptions): Certificate {
  const address = access.caAddress ?? (access.rootCertificate === undefined ? undefined : access.discoveryAddress)
  if (address === undefined) return createOwnCertificate({ clock, random, logger })
  const client = createCertificateClient({
    address,
    ...channelTo(address, access.rootCertificate, access.serverName),
    clock,
    ...(access.token && { token: access.token }),
  })
  const certificate = createWorkloadCertificate({ clock, random, request: client.request, logger })
  return {
    identity: certificate.identity,
    ready: () => certificate.ready(),
    close() {
      certificate.close()
      client.close()
    },
  }
}

/** A socket that an earlier agent left is in nobody's way. */
function bindSocket(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true })
  return new Promise((done, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
      if (error !== null) return reject(error)
      chmodSync(path, 0o600)
      done()
    })
  })
}
