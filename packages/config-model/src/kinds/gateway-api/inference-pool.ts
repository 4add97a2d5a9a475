import { fields } from '../../decode/fields.js'
import { listOf, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { textMap } from '../common.js'
import { defineKind, type Kind } from '../kind.js'

/** inference.networking.k8s.io InferencePool: pods that serve a model, and who picks among them. */
export interface InferencePoolSpec {
  targetPorts?: readonly { number: number }[]
  selector?: { matchLabels?: Readonly<Record<string, string>> }
  endpointPickerRef?: { name: string; port?: { number?: number } }
}

export type InferencePool = Resource<'InferencePool', InferencePoolSpec>

export const inferencePool: Kind<InferencePool> = defineKind<InferencePool>({
  name: 'InferencePool',
  groups: ['inference.networking.k8s.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<InferencePoolSpec>(
    {
      targetPorts: listOf(fields<{ number: number }>({ number: uint32 }, { required: ['number'], open: true })),
      selector: fields<NonNullable<InferencePoolSpec['selector']>>({ matchLabels: textMap }, { open: true }),
      endpointPickerRef: fields<NonNullable<InferencePoolSpec['endpointPickerRef']>>(
        { name: text, port: fields<{ number?: number }>({ number: uint32 }, { open: true }) },
        { required: ['name'], open: true },
      ),
    },
    { open: true },
  ),
})
