import type { Named } from '../kubernetes.js'
import type { TemplateContext } from '../templates/context.js'
import { namedAnnotation } from './metadata.js'

/** A volume together with where the proxy mounts it. */
export interface MountedVolume {
  volume: Named
  mountPath: string
  readOnly?: boolean
}

export const workloadSocket: MountedVolume = {
  volume: { name: 'workload-socket' },
  mountPath: '/var/run/secrets/workload-spiffe-uds',
}
export const credentialSocket: MountedVolume = {
  volume: { name: 'credential-socket' },
  mountPath: '/var/run/secrets/credential-uds',
}
export const workloadCerts: MountedVolume = {
  volume: { name: 'workload-certs' },
  mountPath: '/var/run/secrets/workload-spiffe-credentials',
}
export const istioData: MountedVolume = { volume: { name: 'istio-data', emptyDir: {} }, mountPath: '/var/lib/istio/data' }

/** Where agent and proxy (or gRPC library) meet. */
export function proxyDirectory(name: string): MountedVolume {
  return { volume: { name, emptyDir: { medium: 'Memory' } }, mountPath: '/etc/istio/proxy' }
}

/** The volume as it is where nobody else gives it. */
export function withEmptyDir({ volume, mountPath }: MountedVolume): MountedVolume {
  return { volume: { ...volume, emptyDir: {} }, mountPath }
}

/** Labels and annotations of the pod, as files. */
export const podInfo: MountedVolume = {
  volume: {
    name: 'istio-podinfo',
    downwardAPI: {
      items: [
        { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
        { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } },
      ],
    },
  },
  mountPath: '/etc/istio/pod',
}

/** The service-account token that proves the pod to the CA. */
export function token({ values }: TemplateContext): MountedVolume {
  const { aud } = values.global.sds.token
  return {
    volume: {
      name: 'istio-token',
      projected: { sources: [{ serviceAccountToken: { path: 'istio-token', expirationSeconds: 43_200, audience: aud } }] },
    },
    mountPath: '/var/run/secrets/tokens',
  }
}

/** Where the agent finds who signs the control plane's certificate: a ConfigMap, or a ClusterTrustBundle where Kubernetes has them. */
export function meshRoot({ values }: TemplateContext): MountedVolume {
  const { trustBundleName } = values.global
  const bundle = String(values.pilot.env['ENABLE_CLUSTER_TRUST_BUNDLE_API']) === 'true'
  const name = `istio.io:istiod-ca:${trustBundleName || 'root-cert'}`
  const source = bundle
    ? { projected: { sources: [{ clusterTrustBundle: { name, path: 'root-cert.pem' } }] } }
    : { configMap: { name: trustBundleName || 'istio-ca-root-cert' } }
  return { volume: { name: 'istiod-ca-cert', ...source }, mountPath: '/var/run/secrets/istio' }
}

export function caRoot(context: TemplateContext): MountedVolume[] {
  return context.values.global.pilotCertProvider === 'istiod' ? [meshRoot(context)] : []
}

export function caRevocations({ values }: TemplateContext): MountedVolume[] {
  if (values.global.pilotCertProvider !== 'istiod') return []
  return [
    {
      volume: { name: 'istio-ca-crl', configMap: { name: 'istio-ca-crl', optional: true } },
      mountPath: '/var/run/secrets/istio/crl',
    },
  ]
}

export function bootstrapOverride({ metadata }: TemplateContext): MountedVolume[] {
  const name = metadata.annotations?.['sidecar.istio.io/bootstrapOverride']
  if (name === undefined || name === '') return []
  return [{ volume: { name: 'custom-bootstrap-volume', configMap: { name } }, mountPath: '/etc/istio/custom-bootstrap' }]
}

export function mtlsCerts({ values, spec }: TemplateContext): MountedVolume[] {
  if (!values.global.mountMtlsCerts) return []
  const secretName = `istio.${spec.serviceAccountName || 'default'}`
  return [{ volume: { name: 'istio-certs', secret: { optional: true, secretName } }, mountPath: '/etc/certs/', readOnly: true }]
}

/** The user's own volumes of annotation sidecar.istio.io/userVolume. */
export function userVolumes({ metadata }: TemplateContext): Named[] {
  return namedAnnotation(metadata, 'sidecar.istio.io/userVolume')
}

export function userVolumeMounts({ metadata }: TemplateContext): Named[] {
  return namedAnnotation(metadata, 'sidecar.istio.io/userVolumeMount')
}

export function mountsOf(volumes: readonly MountedVolume[]): Named[] {
  return volumes.map(({ volume, mountPath, readOnly }) => ({
    name: volume.name,
    mountPath,
    ...(readOnly === true && { readOnly }),
  }))
}
