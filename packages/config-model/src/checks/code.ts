// Codes of what validation says. Stable: tools and people grep for them.
export const CODE = {
  required: 'config.required',
  invalid: 'config.invalid',
  range: 'config.range',
  conflict: 'config.conflict',
  duplicate: 'config.duplicate',
  host: 'config.host',
  port: 'config.port',
  address: 'config.address',
  duration: 'config.duration',
  label: 'config.label',
  regex: 'config.regex',
  header: 'config.header',
  protocol: 'config.protocol',
  deprecated: 'config.deprecated',
  noEffect: 'config.no_effect',
  unreachable: 'config.unreachable',
} as const
