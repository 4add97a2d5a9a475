/** Names that injection and the agent share. */
export const PROXY_CONTAINER = 'istio-proxy'
export const INIT_CONTAINER = 'istio-init'
export const VALIDATION_CONTAINER = 'istio-validation'
export const CORE_DUMP_CONTAINER = 'enable-core-dump'

/** User and group of the proxy; capture leaves their traffic alone. */
export const PROXY_UID = 1337
