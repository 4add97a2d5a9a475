export * from './catalog/service.js'
export * from './kinds/types.js'
export * from './resource.js'
export * from './snapshot.js'
