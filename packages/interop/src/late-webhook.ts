import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { systemClock as clock, systemRandom as random } from '@heddle/runtime'

/** Somebody else's admission webhook, asked after ours: it adds a container `late` with a readiness probe to pods that have none. */
export interface LateWebhook {
  /** Its MutatingWebhookConfiguration. */
  readonly configuration: object
  close(): void
}

const LATE = {
  name: 'late',
  image: 'late:1',
  ports: [{ containerPort: 9090 }],
  readinessProbe: { httpGet: { path: '/late', port: 9090 } },
}

export async function startLateWebhook(): Promise<LateWebhook> {
  const authority = await createSelfSignedAuthority({ clock })
  const certificate = createServerCertificate({ authority, names: [{ ip: '127.0.0.1' }], clock, random })
  const { certificateChain, privateKey } = await certificate.ready()
  certificate.close()
  const server = createServer({ cert: certificateChain, key: privateKey }, (request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      const {
        apiVersion,
        kind,
        request: asked,
      } = JSON.parse(text) as {
        apiVersion: string
        kind: string
        request: { uid: string; object: { spec: { containers: { name: string }[] } } }
      }
      const known = asked.object.spec.containers.some(({ name }) => name === 'late')
      const steps = known ? [] : [{ op: 'add', path: '/spec/containers/-', value: LATE }]
      const patch = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(steps)).toString('base64') }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked.uid, allowed: true, ...patch } }))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    configuration: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      // They are asked in the order of their names.
      metadata: { name: 'zz-late' },
      webhooks: [
        {
          name: 'late.example.com',
          clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: btoa(authority.trustBundle.current.join('\n')) },
          rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
          objectSelector: { matchLabels: { late: 'yes' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
