import type { Effort } from '../src/bench-case.js'
import type { Placement } from '../src/placement.js'

/** As little as shows that it works: nothing pinned; our packages as they were built where everything is (.ci/run builds first), else from sources. */
export const MINIMAL: { placement: Placement; effort: Effort; built: boolean } = {
  placement: { subjectCore: undefined, loadCore: undefined, problem: 'a functional test' },
  effort: { warmupSeconds: 0, measureSeconds: 0, scale: 0.01 },
  built: process.env['HEDDLE_INTEROP'] !== undefined,
}
