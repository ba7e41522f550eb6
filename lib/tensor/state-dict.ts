/** The values of variables by name, out and in. */
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { tensor } from './creation.ts'
import { evaluateSync, Tensor, type TensorLike } from './tensor.ts'
import type { Variable } from './variable.ts'

/** Values by name, as models and optimizers give and take them. */
export type StateDict = Record<string, Tensor>

type Named<T> = Readonly<Record<string, T>>

/**
 * What variables hold now, by name: the `stateDict` of whatever keeps variables and is no module. The tensors stay what
 * they are when the variables change.
 */
export const stateDict = (variables: Named<Variable>): StateDict =>
  Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, variable.value]))

function checkNames(variables: Named<Variable>, state: Named<TensorLike>): void {
  const names = Object.keys(variables)
  const missing = names.filter((name) => !Object.hasOwn(state, name))
  const unknown = Object.keys(state).filter((name) => !Object.hasOwn(variables, name))
  const faults = [
    missing.length > 0 && `no ${missing.join(', ')}`,
    unknown.length > 0 && `an unknown ${unknown.join(', ')}`,
  ]
  const got = faults.filter(Boolean).join(' and ')
  if (got !== '') throw new TypeError(expected('loadStateDict', `exactly the names ${names.join(', ')}`, got))
}

function checkedValue(name: string, variable: Variable, value: TensorLike): Tensor {
  const { dtype, shape } = variable
  const checked = value instanceof Tensor ? value : tensor(value, { dtype })
  if (!sameShape(checked.shape, shape))
    throw new ShapeError(
      expected('loadStateDict', `${name} of shape ${formatShape(shape)}`, formatShape(checked.shape)),
    )
  if (checked.dtype !== dtype) throw new DTypeError(expected('loadStateDict', `${name} of ${dtype}`, checked.dtype))
  return checked
}

/**
 * Gives every variable the value of its name, all computed in one program; where one does not fit, none of them changes.
 *
 * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit
 */
export function loadStateDict(variables: Named<Variable>, state: Named<TensorLike>): void {
  checkNames(variables, state)
  const values = Object.entries(variables).map(
    ([name, variable]) => [variable, checkedValue(name, variable, state[name]!)] as const,
  )
  evaluateSync(...values.map(([, value]) => value))
  for (const [variable, value] of values) variable.assign(value)
}
