import type { Collection, Read } from '@heddle/runtime'
import type { GatewayClass } from '../../kinds/gateway-api/gateway-class.js'

/** The controller whose name stands in the statuses of gateways and routes. */
export const GATEWAY_CONTROLLER = 'istio.io/gateway-controller'
/** Waypoints; also whoever a policy is for that holds in the mesh. */
export const MESH_CONTROLLER = 'istio.io/mesh-controller'
export const EAST_WEST_CONTROLLER = 'istio.io/eastwest-controller'
export const UNMANAGED_CONTROLLER = 'istio.io/unmanaged-gateway'

/** What is particular to the gateways of a controller. */
export interface ControllerInfo {
  readonly controller: string
  /** The gateway stands elsewhere: only its status is reported. */
  readonly unmanaged?: boolean
  readonly listenerSets?: boolean
  /** Its Service is called like the Gateway, without the class behind it. */
  readonly plainName?: boolean
  /** What to report where there is no address from outside; absent: both. */
  readonly addressType?: 'Hostname' | 'IPAddress'
}

const CONTROLLERS: readonly ControllerInfo[] = [
  { controller: GATEWAY_CONTROLLER, listenerSets: true, addressType: 'Hostname' },
  { controller: UNMANAGED_CONTROLLER, unmanaged: true, addressType: 'Hostname' },
  { controller: MESH_CONTROLLER, plainName: true },
  { controller: EAST_WEST_CONTROLLER, plainName: true },
]

const byController = new Map(CONTROLLERS.map((info) => [info.controller, info]))

/** Classes that are there without a GatewayClass. */
const BUILT_IN: Readonly<Record<string, string>> = {
  istio: GATEWAY_CONTROLLER,
  'istio-remote': UNMANAGED_CONTROLLER,
  'istio-waypoint': MESH_CONTROLLER,
  'istio-east-west': EAST_WEST_CONTROLLER,
}

/** What Istio's controllers do with a controller's classes; undefined: they are somebody else's. */
export function controllerInfo(controllerName: string): ControllerInfo | undefined {
  return byController.get(controllerName)
}

/** The same by the name of a class. */
export function classInfo(name: string, classes: Collection<GatewayClass>, read: Read): ControllerInfo | undefined {
  const written = read.get(classes, `/${name}`)
  return controllerInfo(written?.spec.controllerName ?? BUILT_IN[name] ?? '')
}
