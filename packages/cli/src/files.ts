import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, YAMLException } from 'js-yaml'
import { InputError, type Io } from './command.js'

/** The text of a file; `-` is standard input. */
export async function readText(path: string, io: Io): Promise<string> {
  if (path === '-') return io.stdin()
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new InputError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}

/** One YAML or JSON document. */
export async function readDocument(path: string, io: Io): Promise<unknown> {
  const text = await readText(path, io)
  try {
    return load(text)
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { mark, reason } = error
    throw new InputError(`${path}${mark === undefined ? '' : `:${mark.line + 1}`}: not one YAML or JSON document: ${reason}`)
  }
}

const YAML = /\.(ya?ml|json)$/

/** Files as given; folders as the YAML and JSON files below them, sorted. */
export function yamlFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path === '-') return [path]
    let folder: boolean
    try {
      folder = statSync(path).isDirectory()
    } catch (error) {
      throw new InputError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
    }
    if (!folder) return [path]
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && YAML.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  })
}

/** By rename, so that whoever waits for the file never reads half of it. */
export function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text)
  renameSync(`${file}.part`, file)
}
