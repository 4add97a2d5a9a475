import { readFileSync } from 'node:fs'
import {
  type Authenticator,
  createCertificateAuthenticator,
  createFolderStore,
  createJwtAuthenticator,
  createSelfSignedAuthority,
  firstOf,
  identityOfClaims,
  openFolderAuthority,
  watchFolderRevocations,
  watchPluggedIn,
} from '@heddle/ca'
import { type ServeControlPlaneOptions, serveControlPlane } from '@heddle/mesh'
import {
  createJsonLogger,
  DEFAULT_TRUST_DOMAIN,
  fail,
  formatDiagnostic,
  type Logger,
  problem,
  systemClock,
} from '@heddle/runtime'
import { pilotFeatures } from '@heddle/translator'
import { type Arguments, type Command, EXIT, InputError } from '../command.js'
import { configFlags, readMeshConfigFlag } from '../config.js'
import { clusterFlags, openFlags } from '../config-source.js'
import { writeWhole } from '../files.js'
import { serveWebhook } from '../webhook.js'

const DEFAULTS = {
  grpc: '127.0.0.1:15010',
  secureGrpc: '127.0.0.1:15012',
  http: '127.0.0.1:8080',
  issuer: 'https://kubernetes.default.svc',
  audience: 'istio-ca',
}

/** A workload is who its certificate says, when the CA has issued it; else who its token says, when --jwks tells who signs tokens. */
function authenticatorOf(args: Arguments, trustDomain: () => string): Authenticator {
  return firstOf([createCertificateAuthenticator(), tokenAuthenticatorOf(args, trustDomain)])
}

function tokenAuthenticatorOf(args: Arguments, trustDomain: () => string): Authenticator {
  const jwks = args.string('jwks')
  if (jwks === undefined)
    return async () =>
      fail(problem('control_plane.no_jwks', '', 'this control plane was started without --jwks and believes no token'))
  return createJwtAuthenticator({
    clock: systemClock,
    jwks: () => JSON.parse(readFileSync(jwks, 'utf8')),
    issuer: args.string('token-issuer') ?? DEFAULTS.issuer,
    audiences: [args.string('token-audience') ?? DEFAULTS.audience],
    trustDomain: trustDomain(),
    identityOf: (claims) => identityOfClaims(claims, trustDomain()),
  })
}

type Trust = Pick<ServeControlPlaneOptions, 'authority' | 'revocations'> & { close(): void }

/**
 * The CA of a folder: Istio's `cacerts`, or a root that is made there first. What changes in it is taken while it serves: `heddle ca rotate`
 * and `revoke`, a renewed Secret.
 */
async function openTrust(folder: string, trustDomain: string, logger: Logger): Promise<Trust> {
  const clock = systemClock
  const store = createFolderStore(folder)
  if ((await store.load()) === undefined) await createSelfSignedAuthority({ clock, trustDomain, store })
  const { authority, files } = await openFolderAuthority(folder, { clock })
  const revocations = await watchFolderRevocations(folder, { clock })
  const watched = watchPluggedIn({ folder, opened: files, authority, clock, logger })
  return {
    authority,
    revocations,
    close() {
      watched.close()
      revocations.close()
    },
  }
}

async function openSecure(
  args: Arguments,
  trustDomain: () => string,
  logger: Logger,
): Promise<{ options: Partial<ServeControlPlaneOptions>; close(): void }> {
  const folder = args.string('ca-dir')
  const secureGrpcAddress = args.string('secure-grpc-addr') ?? DEFAULTS.secureGrpc
  if (args.string('secure-grpc-addr') === undefined && folder === undefined) return { options: {}, close: () => {} }
  const authenticate = authenticatorOf(args, trustDomain)
  if (folder === undefined) {
    const authority = await createSelfSignedAuthority({ clock: systemClock, trustDomain: trustDomain() })
    return { options: { secureGrpcAddress, authenticate, authority }, close: () => {} }
  }
  try {
    const { close, ...trust } = await openTrust(folder, trustDomain(), logger)
    return { options: { secureGrpcAddress, authenticate, ...trust }, close }
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error))
  }
}

/** `pilot-discovery discovery`, on a folder or a cluster. */
export const controlPlane: Command = {
  name: 'control-plane',
  summary: 'serve a folder of YAML or a Kubernetes cluster to proxies: xDS, certificates, debug pages',
  flags: {
    ...configFlags,
    ...clusterFlags,
    'grpc-addr': { type: 'string', value: 'ADDR', help: `plaintext xDS, for trusted networks (default ${DEFAULTS.grpc})` },
    'secure-grpc-addr': {
      type: 'string',
      value: 'ADDR',
      help: `xDS and certificates over TLS (default off; with --ca-dir ${DEFAULTS.secureGrpc})`,
    },
    'http-addr': { type: 'string', value: 'ADDR', help: `readiness, debug pages, metrics (default ${DEFAULTS.http})` },
    'ready-file': { type: 'string', value: 'FILE', help: 'gets the bound addresses as JSON once everything serves' },
    'ca-dir': {
      type: 'string',
      value: 'DIR',
      help: 'the CA: cacerts, followed as they change, or an empty folder for a root of its own (default: in memory)',
    },
    jwks: { type: 'string', value: 'FILE', help: 'public keys of service account tokens' },
    'token-issuer': { type: 'string', value: 'ISS', help: `their issuer (default ${DEFAULTS.issuer})` },
    'webhook-addr': { type: 'string', value: 'ADDR', help: 'the injector’s webhook, HTTPS (default off; 15017 in Istio)' },
    'inject-config': { type: 'string', value: 'FILE', help: 'of the webhook: ConfigMap istio-sidecar-injector, or its config' },
    values: { type: 'string', value: 'FILE', help: 'of the webhook: Helm values of the istiod chart' },
    'token-audience': { type: 'string', value: 'AUD', help: `their audience (default ${DEFAULTS.audience})` },
  },
  async run(args, io) {
    const { config, name } = await openFlags(args, io)
    const meshConfig = await readMeshConfigFlag(args, io)
    const logger = createJsonLogger(io.err, systemClock)
    // The folder's own ConfigMap has the last word, once it has been read.
    let trustDomain = (): string => meshConfig?.trustDomain ?? DEFAULT_TRUST_DOMAIN
    const secure = await openSecure(args, () => trustDomain(), logger)
    const options: ServeControlPlaneOptions = {
      config,
      ...(meshConfig === undefined ? {} : { meshConfig }),
      grpcAddress: args.string('grpc-addr') ?? DEFAULTS.grpc,
      httpAddress: args.string('http-addr') ?? DEFAULTS.http,
      features: pilotFeatures(io.env),
      ...secure.options,
      logger,
    }
    const served = await serveControlPlane(options).catch((error: unknown) => {
      secure.close()
      throw new InputError(error instanceof Error ? error.message : String(error))
    })
    trustDomain = () => served.store.snapshot().meshConfig.trustDomain
    const webhook = await serveWebhook(args, io, options)
    let told: ReadonlySet<string> = new Set()
    const report = (): void => {
      const lines = new Set(served.diagnostics.current.filter(({ severity }) => severity !== 'info').map(formatDiagnostic))
      for (const line of lines) if (!told.has(line)) io.err(`${line}\n`)
      told = lines
    }
    report()
    served.diagnostics.subscribe(report)
    const ready = {
      pid: process.pid,
      grpc: served.addresses.grpc,
      secureGrpc: served.addresses.secureGrpc,
      http: served.addresses.http,
      ...(webhook && { webhook: webhook.address }),
    }
    io.out(
      `serving ${name}: ${Object.entries({ ...served.addresses, ...(webhook && { webhook: webhook.address }) })
        .map(([name, address]) => `${name} ${address}`)
        .join(', ')}\n`,
    )
    const readyFile = args.string('ready-file')
    if (readyFile !== undefined) writeWhole(readyFile, `${JSON.stringify(ready)}\n`)
    await io.stopped()
    await webhook?.close()
    await served.close()
    secure.close()
    return EXIT.ok
  },
}
