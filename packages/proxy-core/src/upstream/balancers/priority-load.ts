/** How many endpoints of one priority there are, by health. */
export interface PriorityHealth {
  readonly total: number
  readonly healthy: number
  readonly degraded: number
}

/** What a priority gets: percentages that add up to 100 over all priorities, both columns together. */
export interface PriorityLoad {
  readonly healthy: number
  readonly degraded: number
  /** Health does not count any more: choose among all endpoints of the priority. */
  readonly panic: boolean
}

/**
 * Envoy's priority load (docs: arch_overview/upstream/load_balancing/priority): a priority is available in proportion to its
 * healthy endpoints times the over-provisioning factor, and the next one takes what is missing. Below the panic threshold,
 * and only while not everything is available, health is ignored.
 */
export function priorityLoad(
  priorities: readonly PriorityHealth[],
  overprovisioning: number,
  panicThreshold: number,
): readonly PriorityLoad[] {
  const share = (part: number, total: number): number =>
    total === 0 ? 0 : Math.min(100, Math.floor((overprovisioning * part) / total))
  const healthy = priorities.map((each) => share(each.healthy, each.total))
  const degraded = priorities.map((each) => share(each.degraded, each.total))
  const available = Math.min(100, sum(healthy) + sum(degraded))
  const panic = priorities.map(
    ({ healthy: good, total }) => available < 100 && total > 0 && (100 * good) / total < panicThreshold,
  )
  if (available === 0) return allOut(priorities, panic)
  const loads = [...fill(healthy, available, 100), 0]
  const left = Math.max(0, 100 - sum(loads))
  const degradedLoads = fill(degraded, available, left)
  // What rounding lost goes to the first priority that takes part at all.
  const lost = 100 - sum(loads) - sum(degradedLoads)
  const first = loads.findIndex((load) => load > 0)
  if (lost > 0 && first >= 0) loads[first]! += lost
  else if (lost > 0)
    degradedLoads[
      Math.max(
        0,
        degradedLoads.findIndex((load) => load > 0),
      )
    ]! += lost
  return priorities.map((_, i) => ({ healthy: loads[i]!, degraded: degradedLoads[i]!, panic: panic[i]! }))
}

function fill(availability: readonly number[], available: number, budget: number): number[] {
  let left = budget
  return availability.map((each) => {
    const load = Math.min(left, Math.floor((each * 100) / available))
    left -= load
    return load
  })
}

// Nothing is available: priorities in panic share by their sizes; without panic the first one answers that it has nobody.
function allOut(priorities: readonly PriorityHealth[], panic: readonly boolean[]): readonly PriorityLoad[] {
  const total = sum(priorities.map(({ total: size }, i) => (panic[i] ? size : 0)))
  if (total === 0) return priorities.map((_, i) => ({ healthy: i === 0 ? 100 : 0, degraded: 0, panic: false }))
  const loads = priorities.map(({ total: size }, i) => (panic[i] ? Math.floor((100 * size) / total) : 0))
  loads[panic.indexOf(true)]! += 100 - sum(loads)
  return loads.map((healthy, i) => ({ healthy, degraded: 0, panic: panic[i]! }))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
