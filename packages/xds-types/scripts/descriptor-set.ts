import { writeFileSync } from 'node:fs'
import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { descriptorSetOf } from './descriptors.js'
import { loadApi } from './load.js'
import { mergeOverlay } from './overlay.js'

// usage: descriptor-set FILE. The whole API as a FileDescriptorSet, for what is not generated from it.
const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: descriptor-set FILE')
const root = loadApi()
mergeOverlay(root)
root.resolveAll()
writeFileSync(file, toBinary(FileDescriptorSetSchema, descriptorSetOf(root)))
