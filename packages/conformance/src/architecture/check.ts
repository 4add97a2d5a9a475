import { findCycles } from './cycles.js'
import { fileSizes, formatSizes, sizeFaults } from './file-sizes.js'
import { ALLOWED, TIME_FILES, TOOLS } from './rules.js'
import { packageSources, resolveRelative, type SourceFile } from './sources.js'

export interface Architecture {
  readonly files: number
  /** What a change must not do, `file: why`; empty when all is well. */
  readonly faults: readonly string[]
  /** The report about file sizes, one line. */
  readonly sizes: string
}

/**
 * What neither the compiler nor the linter sees of the sources below `root`: floors, cycles, who reads the time, sizes. The doors of
 * outside modules, browser-safe packages and undeclared dependencies are rules of biome.json.
 */
export function checkArchitecture(root: string): Architecture {
  const sources = packageSources(root)
  const published = sources.filter((file) => !TOOLS.includes(file.package))
  const sizes = fileSizes(published)
  const faults = [
    ...sources.flatMap((file) => floorFaults(root, file)),
    ...cycleFaults(root, sources),
    ...published.flatMap(timeFaults),
    ...sizeFaults(sizes),
  ]
  return { files: sources.length, faults, sizes: formatSizes(sizes) }
}

/** A package imports what stands on the floors below it, by its name, and never another package's folder. */
function floorFaults(root: string, file: SourceFile): readonly string[] {
  return file.imports.flatMap(({ specifier }) => {
    const other = /^@heddle\/([\w-]+)/.exec(specifier)?.[1]
    const target = resolveRelative(root, file, specifier)
    if (target !== undefined && !target.startsWith(`packages/${file.package}/`))
      return [`${file.path}: imports ${specifier}, a file of another package: import it by its name`]
    const allowed = TOOLS.includes(file.package) ? Object.keys(ALLOWED) : (ALLOWED[file.package] ?? [])
    if (other === undefined || other === file.package || allowed.includes(other)) return []
    return [`${file.path}: imports ${specifier}, which is not below ${file.package} (docs/architecture.md, floors)`]
  })
}

function cycleFaults(root: string, sources: readonly SourceFile[]): readonly string[] {
  const graph = new Map(
    sources.map((file) => [
      file.path,
      file.imports.filter((i) => !i.typeOnly).flatMap(({ specifier }) => resolveRelative(root, file, specifier) ?? []),
    ]),
  )
  return findCycles(graph).map((cycle) => `${cycle[0]}: a cycle of imports: ${cycle.join(' -> ')}`)
}

const TIME = /\b(Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate)\(|new Date\(\)/

function timeFaults({ path, text }: SourceFile): readonly string[] {
  if (TIME_FILES.includes(path)) return []
  const [call] = TIME.exec(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')) ?? []
  return call === undefined ? [] : [`${path}: ${call.replace(/\($/, '')}: take a Clock or a Random (runtime)`]
}
