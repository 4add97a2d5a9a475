import { inject, jsonPatch } from '@heddle/injector'
import { shopPod } from '../pods.js'
import { serveWork } from './work.js'

// Pods to injected pods with their patches, one after the other.

const pods = Array.from({ length: 64 }, (_, i) => shopPod(i))
let next = 0

function one(): object {
  const before = pods[next++ % pods.length]!
  const result = inject(before)
  if (!result.ok) throw new Error(result.diagnostics[0]?.message)
  return { object: result.value.object, patch: jsonPatch(before, result.value.object) }
}

await serveWork({ show: one, run: () => void one() })
