/** How much an instruction has to do, whatever backend does it. */
import { bytesPerElement } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import type { Instruction } from './instructions.ts'
import { type Program, valueBytes } from './program.ts'
import { bodiesOf, byOpcode, type Factor, factorsOf, type Numbers, productOf, signatures } from './signatures.ts'

const flops = byOpcode((opcode, { params, flops }) => {
  if (typeof flops !== 'string') return flops ?? (() => 0)
  const factors = factorsOf(opcode, flops, params)
  return (values: Numbers) => productOf(factors, values)
})

/** Operations on real numbers; of a loop those of all its steps, of a `whileLoop` of one, of a `branch` the most. */
export function flopsOf(instruction: Instruction): number {
  const { opcode, params } = instruction
  const inner = bodiesOf(instruction).map(({ instructions }) => instructions.reduce((sum, x) => sum + flopsOf(x), 0))
  if (inner.length === 0) return flops[opcode](params)
  return (opcode === 'loop' ? params.length : 1) * Math.max(...inner)
}

/** Of the operands of which not all elements are touched, how many are. */
const touched = byOpcode((opcode, { params, touches = {} }) => {
  const products = Object.entries(touches).map(([name, product = '']) => [name, factorsOf(opcode, product, params)])
  return new Map(products as [string, Factor[]][])
})

/** Bytes of the operands, each once, and of the results: what has to be moved if none is in a register. */
export function bytesOf({ values }: Program, { opcode, inputs, outputs, params }: Instruction): number {
  const { inputs: read, outputs: written } = signatures[opcode]
  const moved = (ids: readonly number[], names: readonly { readonly name: string }[]) =>
    ids.map((id, i) => {
      const value = values[id]
      if (value === undefined || ids.indexOf(id) !== i) return 0
      const factors = touched[opcode].get(names[i]?.name ?? '')
      const size = factors === undefined ? sizeOf(value.shape) : productOf(factors, params as Numbers)
      return size * bytesPerElement(value.dtype)
    })
  return [...moved(inputs, read.list), ...moved(outputs, written.list)].reduce((sum, bytes) => sum + bytes, 0)
}

/** Bytes of all the memory that a run of the program touches. */
export function workingSet(program: Program): number {
  const bound = program.values.filter(({ place }) => place.kind !== 'arena')
  const places = new Map(
    bound.map((value) => [`${value.place.kind} ${(value.place as { index: number }).index}`, value]),
  )
  return [...places.values()].reduce((sum, value) => sum + valueBytes(value), program.arenaBytes)
}
