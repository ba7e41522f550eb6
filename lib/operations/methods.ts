/**
 * The operations as methods: `x.squeeze()` is `squeeze(x)`. Every function whose first operand is a tensor is put on its
 * prototype here, so whoever calls methods has this file loaded; what is below calls the functions.
 */
import type { TupleOf } from '../base/tuple.ts'
import { Tensor } from '../tensor/tensor.ts'
import * as operations from './index.ts'
import type { Cut, Parts } from './joining.ts'

/** Their first operand is a list, or no tensor. */
const functionsOnly = [
  'array',
  'asarray',
  'broadcastArrays',
  'broadcastTensors',
  'cat',
  'concat',
  'concatenate',
  'dstack',
  'einsum',
  'fill',
  'hstack',
  'manualSeed',
  'meshgrid',
  'rand',
  'randperm',
  'range',
  'stack',
  'vstack',
] as const

type Functions = Omit<typeof operations, (typeof functionsOnly)[number]>

type MethodOf<F> = F extends (x: infer _, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

/** What the functions are as methods: without their first operand. */
type OperationMethods = { [Name in keyof Functions]: MethodOf<Functions[Name]> }

/** Whose results have a type that follows from an argument, which is lost where a type is derived. */
interface GenericMethods {
  chunk<const N extends number>(count: N, axis?: number): TupleOf<Tensor, N>
  split<const By extends number | readonly number[]>(countOrSizes: By, axis?: number): Parts<By>
  tensorSplit<const By extends number | readonly number[]>(countOrIndices: By, axis?: number): Cut<By>
  unbind<N extends number = number>(axis?: number): TupleOf<Tensor, N>
  unstack<N extends number = number>(axis?: number): TupleOf<Tensor, N>
}

declare module '../tensor/tensor.ts' {
  interface Tensor extends Omit<OperationMethods, keyof GenericMethods>, GenericMethods {}
}

type Operation = (x: Tensor, ...rest: never[]) => unknown

for (const [name, operation] of Object.entries(operations) as [string, Operation][]) {
  if ((functionsOnly as readonly string[]).includes(name)) continue
  const method = function (this: Tensor, ...rest: never[]) {
    return operation(this, ...rest)
  }
  Object.defineProperty(Tensor.prototype, name, { value: method, configurable: true, writable: true })
}
