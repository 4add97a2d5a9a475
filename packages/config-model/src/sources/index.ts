export type { FileSetOptions } from '../file-set.js'
export { type DirectoryOptions, type DirectorySource, watchDirectory } from './directory.js'
export { createMemorySource, type MemorySource } from './memory.js'
