/** What an evaluation looks for while `detectAnomaly` is active, and how it names what it finds. */

import { join, sep } from 'node:path'
import { isFloat, type TypedArray } from '../base/dtype.ts'
import { AnomalyError } from '../base/errors.ts'
import { zipWith } from '../base/lists.ts'
import { packageRoot } from '../base/package-root.ts'
import { type Node, pendingInputs, topologicalOrder } from '../graph/node.ts'
import { originOf } from '../graph/origin.ts'

/** The roots, then every other float that has to be computed for them. */
export function withPendingOperands(roots: readonly Node[]): Node[] {
  const pending = topologicalOrder(roots, pendingInputs).filter(
    ({ dtype, storage }) => storage === null && isFloat(dtype),
  )
  return [...new Set([...roots, ...pending])]
}

/** Throws for the first operation, in the order of their recording, whose value holds a NaN. */
export function checkAnomaly(nodes: readonly Node[], values: readonly TypedArray[]): void {
  let first: Node | null = null
  zipWith(nodes, values, (node, value) => {
    if ((first === null || node.id < first.id) && isFloat(node.dtype) && value.some(Number.isNaN)) first = node
  })
  if (first !== null) throw new AnomalyError(describe(first))
}

function describe(node: Node): string {
  const origin = originOf(node)
  const from = origin?.gradientOf ?? null
  const text = `detectAnomaly: ${node.def.name} gave NaN`
  if (from === null) return `${text}, recorded ${placeOf(origin?.stack)}`
  return `${text} in the gradient of ${from.def.name}, which was recorded ${placeOf(originOf(from)?.stack)}`
}

/** Where frames of the library itself stand. */
function libraryFolders(): string[] {
  const root = packageRoot()
  return root === undefined ? [] : ['lib', 'dist'].map((folder) => join(root, folder) + sep)
}

/** The innermost frame of the stack that is not the library's own. */
function placeOf(stack: string | undefined): string {
  if (stack === undefined) return 'before detectAnomaly'
  const own = libraryFolders()
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '))
  const outside = frames.find((line) => !line.includes('node:') && !own.some((folder) => line.includes(folder)))
  return outside === undefined ? 'by the library itself' : outside.trim()
}
