import type { KubernetesObject } from '@heddle/injector'

/** A pod as a Deployment of a shop makes it; they differ by number as replicas and versions do. */
export function shopPod(i: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `cart-${i % 7}-`,
      namespace: 'shop',
      labels: { app: 'cart', version: `v${i % 3}` },
      annotations: {},
    },
    spec: {
      serviceAccountName: 'cart',
      containers: [
        {
          name: 'app',
          image: 'shop/cart:1',
          ports: [{ containerPort: 8080, name: 'http' }],
          env: [{ name: 'REGION', value: 'eu' }],
          readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
          livenessProbe: { httpGet: { path: '/live', port: 8080 } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
}

/** The API server's question about it. */
export function shopReview(i: number): string {
  const kind = { group: '', version: 'v1', kind: 'Pod' }
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: { uid: `u-${i}`, kind, namespace: 'shop', operation: 'CREATE', object: shopPod(i), oldObject: null, dryRun: false },
  })
}
