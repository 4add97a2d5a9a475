import type { EnumType, MessageType, MethodType, ServiceType } from '@heddle/xds-types'
import {
  type DescribedType,
  describePackage,
  fileOfPackage,
  type PackageTypes,
  type ProtoFile,
  packageOf,
} from './file-descriptors.js'
import { WELL_KNOWN } from './well-known.js'

/** The API as protobuf descriptors, a file for each package: what gRPC server reflection answers with. */
export interface ApiDescriptors {
  /** Full names. */
  readonly services: readonly string[]
  /** By file name, `envoy/config/core/v3.proto`. */
  file(name: string): ProtoFile | undefined
  /** The file that has a message, an enum, one of the services or a method of it, by full name. */
  fileOf(symbol: string): ProtoFile | undefined
}

/** `services`: those that are described, with `messages` and all enums that those have. A file is made when it is asked for. */
export function describeApi(messages: Iterable<MessageType<unknown>>, services: readonly ServiceType<object>[]): ApiDescriptors {
  const packages = packagesOf(withEnums(messages), services)
  const fileOfSymbol = new Map<string, string>()
  for (const [file, each] of packages) for (const symbol of symbolsOf(each)) fileOfSymbol.set(symbol, file)
  const made = new Map<string, ProtoFile>()
  const file = (name: string): ProtoFile | undefined => {
    const types = packages.get(name)
    if (types === undefined) return undefined
    const known = made.get(name) ?? describePackage(types)
    made.set(name, known)
    return known
  }
  return {
    services: services.map(({ typeName }) => typeName).sort(),
    file,
    fileOf: (symbol) => file(fileOfSymbol.get(symbol) ?? ''),
  }
}

/** Enums are known by the fields that have them. */
function withEnums(messages: Iterable<MessageType<unknown>>): DescribedType[] {
  const all = [...messages]
  const enums = new Map<string, EnumType<string>>()
  for (const { table } of all)
    for (const { enum: values } of table.fields) if (values !== undefined) enums.set(values.typeName, values)
  enums.delete('google.protobuf.NullValue')
  return [...all, ...enums.values(), ...WELL_KNOWN]
}

interface GrowingPackage extends PackageTypes {
  readonly types: DescribedType[]
  readonly services: ServiceType<object>[]
}

/** By file name. */
function packagesOf(
  types: readonly DescribedType[],
  services: readonly ServiceType<object>[],
): ReadonlyMap<string, PackageTypes> {
  const packages = new Map<string, GrowingPackage>()
  const packageFor = (typeName: string): GrowingPackage => {
    const name = packageOf(typeName)
    const known = packages.get(fileOfPackage(name)) ?? { name, types: [], services: [] }
    packages.set(fileOfPackage(name), known)
    return known
  }
  for (const type of types) packageFor(type.typeName).types.push(type)
  for (const service of services) packageFor(service.typeName).services.push(service)
  return packages
}

function symbolsOf({ types, services }: PackageTypes): string[] {
  return [
    ...types.map(({ typeName }) => typeName),
    ...services.flatMap(({ typeName, methods }) => [
      typeName,
      ...Object.keys(methods as Record<string, MethodType<unknown, unknown>>).map((method) => `${typeName}.${method}`),
    ]),
  ]
}
