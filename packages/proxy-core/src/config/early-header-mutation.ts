import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { HeaderMutation } from '@heddle/xds-types/envoy/extensions/http/early_header_mutation/header_mutation/v3'
import { type Fields, fieldsOf } from './fields.js'
import { type ApplyMutation, compileMutation } from './header-mutations.js'

const HEADER_MUTATION = 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation'

/** early_header_mutation_extensions: what is done to the headers of a request before anything else looks at them, routes included. */
export function compileEarlyHeaderMutations(list: readonly Fields<TypedExtensionConfig>[]): readonly ApplyMutation[] {
  return list.flatMap((fields) => {
    const config = fields.any('typed_config')
    fields.done({ name: 'the type tells what it is' })
    if (config?.typeName !== HEADER_MUTATION) {
      fields.problem(`${config?.typeName ?? 'nothing'} is not supported: use header_mutation.`, 'typed_config')
      return []
    }
    const own = fieldsOf<HeaderMutation>(config, fields as Fields<never>)
    const mutations = own.messages('mutations').map((mutation) => {
      const header = mutation.message('append')?.message('header')?.string('key') ?? mutation.string('remove')
      if (header.startsWith(':') || header.toLowerCase() === 'host')
        mutation.problem(`${header} may not be changed: the path and the host are read before.`)
      return compileMutation(mutation)
    })
    own.done()
    return mutations
  })
}
