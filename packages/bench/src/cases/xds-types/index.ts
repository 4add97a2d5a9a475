import type { BenchCase, Contender, Goal } from '../../bench-case.js'
import { looped } from '../../looped.js'
import { packageVersion } from '../../peers/find.js'
import { missingProtobufPeers } from '../../peers/protobuf.js'
import { XDS_MESSAGES } from '../../xds-messages.js'
import { importCase } from './import.js'

/** Each message from canonical JSON to the wire and back, and what it costs to load the types at all. */
export function xdsTypes(): readonly BenchCase[] {
  return [...Object.keys(XDS_MESSAGES).flatMap((name) => [codecCase(name, 'encode'), codecCase(name, 'decode')]), importCase()]
}

function codecCase(name: string, direction: 'encode' | 'decode'): BenchCase {
  const title = XDS_MESSAGES[name]?.().title ?? name
  const contender = (who: string, worker: string, goal?: Goal): Contender =>
    looped({
      name: who,
      worker: 'xds-types',
      args: [worker, name, direction],
      verify: (shown) => verify(name, shown),
      ...(goal === undefined ? {} : { goal }),
    })
  const peer = (who: string, worker: string, goal?: Goal): Contender => ({
    ...contender(who, worker, goal),
    missing: missingProtobufPeers(),
  })
  const encodes = direction === 'encode'
  const [staticName, jsonName] = [
    `protobufjs ${packageVersion('protobufjs')} static`,
    'proto3-json-serializer 4.1.0, protobufjs 7',
  ]
  return {
    bench: 'xds-types',
    name: encodes ? `JSON to wire, ${title}` : `wire to JSON, ${title}`,
    unit: 'messages/s',
    better: 'higher',
    ours: contender('xds-types', 'ours'),
    peers: [
      // It starts from its own ready messages and ends with them: no JSON.
      peer(`${staticName}, without JSON`, 'static', encodes ? { must: 1, after: 1.5 } : undefined),
      peer(jsonName, 'serializer', encodes ? { must: 4, after: 6 } : undefined),
      peer(`protobuf-es ${packageVersion('@bufbuild/protobuf')}`, 'protobuf-es'),
    ],
  }
}

/** Whatever a contender did, it shows bytes. They hold the message; some write a zero that says nothing. */
function verify(name: string, shown: unknown): void {
  const { type, registry, json } = XDS_MESSAGES[name]?.() ?? {}
  const decoded = type?.decode(Buffer.from(String(shown), 'base64'), registry)
  if (type === undefined || registry === undefined || decoded?.ok !== true) throw new Error(`they are not a ${name}`)
  const [got, wanted] = [decoded.value, json].map((value) => JSON.stringify(type.toJson(value, { registry })))
  if (got !== wanted) throw new Error(`it became ${got?.slice(0, 300)}…, not ${wanted?.slice(0, 300)}…`)
}
