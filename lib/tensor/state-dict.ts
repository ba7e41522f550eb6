import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { tensor } from './creation.ts'
import { evaluateSync, Tensor, type TensorLike } from './tensor.ts'
import type { Variable } from './variable.ts'

/** Values by name, as models and optimizers give and take them. */
export type StateDict = Record<string, Tensor>

/** What the variables hold now; the tensors stay what they are when the variables change. */
export const stateOf = (variables: ReadonlyMap<string, Variable>): StateDict =>
  Object.fromEntries([...variables].map(([name, variable]) => [name, variable.value]))

function checkNames(variables: ReadonlyMap<string, Variable>, state: Readonly<Record<string, TensorLike>>): void {
  const missing = [...variables.keys()].filter((name) => !Object.hasOwn(state, name))
  const unknown = Object.keys(state).filter((name) => !variables.has(name))
  const faults = [
    missing.length > 0 && `no ${missing.join(', ')}`,
    unknown.length > 0 && `an unknown ${unknown.join(', ')}`,
  ]
  const got = faults.filter(Boolean).join(' and ')
  if (got !== '')
    throw new TypeError(expected('loadStateDict', `exactly the names ${[...variables.keys()].join(', ')}`, got))
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

/** Gives every variable the value of its name; where a name, a shape or a dtype is wrong, none of them changes. */
export function loadState(variables: ReadonlyMap<string, Variable>, state: Readonly<Record<string, TensorLike>>): void {
  checkNames(variables, state)
  const values = [...variables].map(
    ([name, variable]) => [variable, checkedValue(name, variable, state[name]!)] as const,
  )
  evaluateSync(...values.map(([, value]) => value))
  for (const [variable, value] of values) variable.assign(value)
}
