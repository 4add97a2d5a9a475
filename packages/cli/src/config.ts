import { type MeshConfig, readMeshConfig } from '@heddle/config-model'
import { formatDiagnostic } from '@heddle/runtime'
import { type Arguments, type Flag, InputError, type Io, required } from './command.js'
import { readText, yamlFiles } from './files.js'

/** The flags of every command that looks at a mesh without running one. */
export const configFlags: Readonly<Record<string, Flag>> = {
  config: { type: 'string', value: 'DIR', help: 'folder of Istio, Kubernetes and Gateway API YAML' },
  'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, laid over Istio’s defaults' },
}

/** Path -> text of every file below `--config`. */
export async function readConfig(args: Arguments, io: Io): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const file of yamlFiles([required(args, 'config')])) files[file] = await readText(file, io)
  return files
}

/** What `--mesh-config` says; undefined without it. */
export async function readMeshConfigFlag(args: Arguments, io: Io): Promise<MeshConfig | undefined> {
  const file = args.string('mesh-config')
  if (file === undefined) return undefined
  const result = readMeshConfig(await readText(file, io), { file })
  for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
  if (!result.ok) throw new InputError(`${file} is no mesh config`)
  return result.value
}
