import type { KubernetesObject } from '../kubernetes.js'

/** What Istio deploys for the Gateways of a controller. */
export interface DeployedClass {
  readonly controller: string
  readonly template: 'kube-gateway' | 'waypoint'
  readonly serviceType: string
  /** Its objects are called like the Gateway, without the class behind it. */
  readonly plainName: boolean
}

/** Of waypoints. */
export const MESH_CONTROLLER = 'istio.io/mesh-controller'

const DEPLOYED: readonly DeployedClass[] = [
  { controller: 'istio.io/gateway-controller', template: 'kube-gateway', serviceType: 'LoadBalancer', plainName: false },
  { controller: MESH_CONTROLLER, template: 'waypoint', serviceType: 'ClusterIP', plainName: true },
  { controller: 'istio.io/eastwest-controller', template: 'waypoint', serviceType: 'LoadBalancer', plainName: true },
]

/** Classes that are there without a GatewayClass. */
const BUILT_IN: Readonly<Record<string, string>> = {
  istio: 'istio.io/gateway-controller',
  'istio-remote': 'istio.io/unmanaged-gateway',
  'istio-waypoint': MESH_CONTROLLER,
  'istio-east-west': 'istio.io/eastwest-controller',
}

/** What the class of a Gateway deploys; a text tells why nothing. */
export function deployedClass(name: string, among: readonly KubernetesObject[]): DeployedClass | string {
  const written = among.find(({ kind, metadata }) => kind === 'GatewayClass' && metadata?.name === name)
  const spec = written?.['spec'] as { controllerName?: unknown } | null | undefined
  const controller = written === undefined ? BUILT_IN[name] : String(spec?.controllerName)
  if (controller === undefined) return `there is no GatewayClass ${name}, and it is none of ${Object.keys(BUILT_IN).join(', ')}`
  if (controller === BUILT_IN['istio-remote']) return `class ${name} stands for a gateway of another cluster`
  return DEPLOYED.find((one) => one.controller === controller) ?? `class ${name} is of controller ${controller}, not of Istio's`
}
