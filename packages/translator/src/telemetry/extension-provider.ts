import type { ExtensionProvider } from '@heddle/config-model'
import type { Build } from '../build.js'

/** The provider of MeshConfig.extensionProviders that a Telemetry resource or MeshConfig.defaultProviders means. */
export function extensionProvider({ mesh }: Build, name: string): ExtensionProvider | undefined {
  const wanted = name.toLowerCase()
  return mesh.extensionProviders.find((provider) => provider.name.toLowerCase() === wanted)
}
