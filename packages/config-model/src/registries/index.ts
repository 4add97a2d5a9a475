export { type ConsulOptions, createConsulRegistry } from './consul/consul.js'
export { type FollowedRegistry, followRegistry, type Registry, type RegistrySink } from './registry.js'
