import type { TemplateContext } from '../templates/context.js'

// The variants that Istio publishes, as suffixes of the tag.
const IMAGE_TYPES = ['distroless', 'debug']

/** `<hub>/<image>:<tag>[-<type>]`; a proxyImage annotation or an image value with a slash is the whole reference. */
export function proxyImage(context: TemplateContext, image: string): string {
  const { metadata, values, proxyConfig } = context
  const own = metadata.annotations?.['sidecar.istio.io/proxyImage'] ?? image
  if (own.includes('/')) return own
  const type = metadata.annotations?.['sidecar.istio.io/proxyImageType'] ?? proxyConfig.image?.imageType ?? ''
  const { hub, tag, proxy } = values.global
  return `${hub}/${proxy.image}:${typedTag(tag, type)}`
}

function typedTag(tag: string, type: string): string {
  if (type === '') return tag
  const suffix = IMAGE_TYPES.find((known) => tag.endsWith(`-${known}`))
  const plain = suffix === undefined ? tag : tag.slice(0, -suffix.length - 1)
  return type === 'default' ? plain : `${plain}-${type}`
}

export function pullPolicy({ values }: TemplateContext): { imagePullPolicy?: string } {
  const { imagePullPolicy } = values.global
  return imagePullPolicy === '' ? {} : { imagePullPolicy }
}
