import type { PodTemplate } from '../kubernetes.js'
import type { TemplateContext } from './context.js'

const DATA = { name: 'grpc-io-proxyless-bootstrap', mountPath: '/var/lib/grpc/data/' }
const BOOTSTRAP = `${DATA.mountPath}bootstrap.json`

/** Proxyless gRPC without an agent: an init container writes the bootstrap, each container of the app learns where it is. Plaintext. */
export function grpcSimple({ spec, values }: TemplateContext): PodTemplate {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  return {
    metadata: { annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' } },
    spec: {
      initContainers: [
        {
          name: 'grpc-bootstrap-init',
          image: 'busybox:1.28',
          volumeMounts: [DATA],
          env: [
            field('INSTANCE_IP', 'status.podIP'),
            field('POD_NAME', 'metadata.name'),
            field('POD_NAMESPACE', 'metadata.namespace'),
            { name: 'ISTIO_NAMESPACE', value: `${values.global.istioNamespace}\n` },
          ],
          command: ['sh', '-c', bootstrapScript()],
        },
      ],
      containers: (spec.containers ?? []).map(({ name }) => ({
        name,
        env: [
          { name: 'GRPC_XDS_BOOTSTRAP', value: BOOTSTRAP },
          { name: 'GRPC_GO_LOG_VERBOSITY_LEVEL', value: '99' },
          { name: 'GRPC_GO_LOG_SEVERITY_LEVEL', value: 'info' },
        ],
        volumeMounts: [DATA],
      })),
      volumes: [{ name: DATA.name, emptyDir: {} }],
    },
  }
}

function bootstrapScript(): string {
  return [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell script
    'NODE_ID="sidecar~${INSTANCE_IP}~${POD_NAME}.${POD_NAMESPACE}~cluster.local"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell script
    'SERVER_URI="dns:///istiod.${ISTIO_NAMESPACE}.svc:15010"',
    "echo '",
    '{',
    '  "xds_servers": [',
    '    {',
    `      "server_uri": "'\${SERVER_URI}'",`,
    '      "channel_creds": [{"type": "insecure"}],',
    '      "server_features" : ["xds_v3"]',
    '    }',
    '  ],',
    '  "node": {',
    `    "id": "'\${NODE_ID}'",`,
    '    "metadata": {',
    '      "GENERATOR": "grpc"',
    '    }',
    '  }',
    `}' > ${BOOTSTRAP}`,
  ].join('\n')
}
