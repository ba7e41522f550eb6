/** The values of variables by name, out and in. */
import { checkValues, describe } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkRecord } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { tensor } from './creation.ts'
import { evaluateSync, Tensor, type TensorLike } from './tensor.ts'
import { Variable } from './variable.ts'

/** Values by name, as models and optimizers give and take them. */
export type StateDict = Record<string, Tensor>

type Named<T> = Readonly<Record<string, T>>

/**
 * What variables hold now, by name: the `stateDict` of whatever keeps variables and is no module. The tensors stay what
 * they are when the variables change.
 */
export const stateDict = (variables: Named<Variable>): StateDict =>
  Object.fromEntries(variablesIn('stateDict', variables).map(([name, variable]) => [name, variable.value]))

function variablesIn(op: string, variables: Named<Variable>): [string, Variable][] {
  const entries = Object.entries(checkRecord(op, 'variables by name', variables))
  for (const [name, variable] of entries)
    if (!(variable instanceof Variable)) throw new TypeError(expected(op, `a variable as ${name}`, describe(variable)))
  return entries
}

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
  const checked = value instanceof Tensor ? value : tensor(checkValues('loadStateDict', value), { dtype })
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
  const entries = variablesIn('loadStateDict', variables)
  checkNames(variables, checkRecord('loadStateDict', 'values by name', state))
  const values = entries.map(([name, variable]) => [variable, checkedValue(name, variable, state[name]!)] as const)
  evaluateSync(...values.map(([, value]) => value))
  for (const [variable, value] of values) variable.assign(value)
}
