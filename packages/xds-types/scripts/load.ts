import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import protobuf from 'protobufjs'

const require = createRequire(import.meta.url)
const folderOf = (file: string): string => path.dirname(require.resolve(file))

export const OWN_PROTOS: string = path.join(import.meta.dirname, '../protos')
const SHIPPED = path.join(folderOf('@grpc/grpc-js-xds/package.json'), 'deps')
const PROTOBUFJS = folderOf('protobufjs/package.json')

/** Where imports are looked up, first hit wins: our own files, Envoy's API, then what it imports. */
const ROOTS: readonly string[] = [
  OWN_PROTOS,
  ...['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis'].map((name) => path.join(SHIPPED, name)),
  PROTOBUFJS,
]
const WANTED = /^(envoy\/.*\/v3|xds|udpa)\//
/** Packages that only describe other descriptors; the codec knows google.protobuf by itself. */
export const LEFT_OUT: RegExp = /^(google\.protobuf|google\.api(?!\.expr)|validate$|(envoy|udpa|xds)\.annotations)/
/** Fragments that add to messages of Envoy's API; they are merged after loading, see overlay.ts. */
export const OVERLAY: string = path.join(OWN_PROTOS, 'overlay')

/** The files under a folder with this ending, as paths relative to it, sorted. */
export function textFiles(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => file.endsWith(ending))
    .sort()
}

export const protoFiles = (folder: string): string[] => textFiles(folder, '.proto')

export function createRoot(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => {
    if (path.isAbsolute(target)) return target
    return ROOTS.map((folder) => path.join(folder, target)).find((file) => existsSync(file)) ?? null
  }
  return root
}

/** Envoy's v3 API and our own small APIs, parsed; field names as written. */
export function loadApi(): protobuf.Root {
  const own = protoFiles(OWN_PROTOS).filter((file) => !file.startsWith('overlay/'))
  const shipped = ['envoy-api', 'xds'].flatMap((name) => protoFiles(path.join(SHIPPED, name)).filter((file) => WANTED.test(file)))
  const root = createRoot()
  root.loadSync(['google/protobuf/descriptor.proto', ...own, ...shipped.filter((file) => !own.includes(file))], {
    keepCase: true,
  })
  return root
}

/** Every message and enum below a namespace, parents before children. */
export function* typesOf(namespace: protobuf.NamespaceBase): Generator<protobuf.Type | protobuf.Enum | protobuf.Service> {
  for (const object of namespace.nestedArray) {
    if (object instanceof protobuf.Type || object instanceof protobuf.Enum || object instanceof protobuf.Service) yield object
    if (object instanceof protobuf.Namespace && object.nestedArray.length > 0) yield* typesOf(object)
  }
}
