import type { ReferenceMesh } from './mesh.js'
import type { Report } from './report.js'

/** One thing the mesh does for its users, shown on real traffic. It measures from the apps' own answers and leaves the configuration as it found it. */
export interface Scene {
  readonly title: string
  run(mesh: ReferenceMesh, report: Report): Promise<void>
}
