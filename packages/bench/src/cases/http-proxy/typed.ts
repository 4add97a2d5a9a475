/** A message of `envoy.extensions` as it stands in an Any. */
export const typed = (type: string, config: object = {}): object => ({
  '@type': `type.googleapis.com/envoy.extensions.${type}`,
  ...config,
})
