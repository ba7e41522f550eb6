/** The functions that gradients are taken of: plain ones, and compiled ones, which are recorded like plain ones then. */
import { checkFunction, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { isThenable } from '../base/tree.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A function of tensors that gives one. */
export type TensorFunction = (...xs: Tensor[]) => Tensor

/** A compiled function of tensors that gives one. */
export interface CompiledTensorFunction {
  (...xs: Tensor[]): Promise<Tensor>
  sync(...xs: Tensor[]): Tensor
}

/** What gradients may be taken of. */
export type Differentiable = TensorFunction | CompiledTensorFunction

type AnyFunction = (...args: never[]) => unknown

const plainFunctions = new WeakMap<AnyFunction, AnyFunction>()

/** Says which function a compiled one was made of. */
export const noteCompiled = (compiled: AnyFunction, fn: AnyFunction): unknown => plainFunctions.set(compiled, fn)

/**
 * The function itself; of a compiled one what it was made of, so that value and gradient are one graph.
 * @throws TypeError for what is no function
 */
export function plainFunction(op: string, f: Differentiable): TensorFunction {
  checkFunction(op, 'a function', f)
  return (plainFunctions.get(f) ?? f) as TensorFunction
}

/**
 * The value of a function at some tensors.
 * @throws TypeError where it is no tensor
 */
export function valueAt(op: string, f: Differentiable, xs: readonly Tensor[]): Tensor {
  const value: unknown = plainFunction(op, f)(...xs)
  if (value instanceof Tensor) return value
  // What is left of it works on values without data: that it fails says nothing new.
  if (isThenable(value)) value.then(undefined, () => {})
  const got = isThenable(value) ? 'a promise' : describe(value)
  throw new TypeError(expected(op, 'a function that returns a tensor', got))
}
