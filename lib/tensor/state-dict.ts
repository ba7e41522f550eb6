/** The values of variables by name, out and in. */
import { checkValues, describe } from '../base/arguments.ts'
import { DTypeError, expectation, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
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

export interface LoadStateDictOptions {
  /** Whether the names have to be those of the variables, exactly; true unless given. */
  strict?: boolean
}

const loadStateDictOptions: OptionTypes<LoadStateDictOptions> = { strict: 'boolean' }

/** Which names were not there, and which were too many: both empty unless `strict` is false. */
export interface LoadedStateDict {
  missing: string[]
  unexpected: string[]
}

/** More names than that are not listed where all of them are expected. */
const mostListed = 12

function namesFault(names: readonly string[], { missing, unexpected }: LoadedStateDict): string[] {
  const faults = [
    missing.length > 0 && `no ${missing.join(', ')}`,
    unexpected.length > 0 && `an unknown ${unexpected.join(', ')}`,
  ]
  const got = faults.filter(Boolean).join(' and ')
  if (got === '') return []
  const listed = names.length > mostListed ? `${names.slice(0, mostListed).join(', ')}, …` : names.join(', ')
  return [`exactly the names ${listed}, got ${got}`]
}

const shapeFault = (name: string, { shape }: Variable, value: Tensor): string[] =>
  sameShape(value.shape, shape) ? [] : [`${name} of shape ${formatShape(shape)}, got ${formatShape(value.shape)}`]

const dtypeFault = (name: string, { dtype }: Variable, value: Tensor): string[] =>
  value.dtype === dtype ? [] : [`${name} of ${dtype}, got ${value.dtype}`]

/**
 * Gives every variable the value of its name, all computed in one program; where one does not fit, none of them changes. With
 * `strict: false` names may be missing or unknown: what is there is taken over.
 *
 * PyTorch calls it `load_state_dict`.
 *
 * @returns the names that are missing, and those that are not expected
 * @throws TypeError for missing and unknown names, ShapeError, DTypeError for values that do not fit, with all of them in the message
 */
export function loadStateDict(
  variables: Named<Variable>,
  state: Named<TensorLike>,
  options?: LoadStateDictOptions,
  ...surplus: unknown[]
): LoadedStateDict {
  const { strict = true } = checkOptions('loadStateDict', options, loadStateDictOptions, surplus)
  const entries = variablesIn('loadStateDict', variables)
  const given = checkRecord('loadStateDict', 'values by name', state)
  const report = {
    missing: Object.keys(variables).filter((name) => !Object.hasOwn(given, name)),
    unexpected: Object.keys(given).filter((name) => !Object.hasOwn(variables, name)),
  }
  const values = entries
    .filter(([name]) => Object.hasOwn(given, name))
    .map(([name, variable]) => [name, variable, valueFor(variable, given[name]!)] as const)
  refuseFaults([
    [TypeError, strict ? namesFault(Object.keys(variables), report) : []],
    [ShapeError, values.flatMap((each) => shapeFault(...each))],
    [DTypeError, values.flatMap((each) => dtypeFault(...each))],
  ])
  evaluateSync(...values.map(([, , value]) => value))
  for (const [, variable, value] of values) variable.assign(value)
  return report
}

const valueFor = ({ dtype }: Variable, value: TensorLike): Tensor =>
  value instanceof Tensor ? value : tensor(checkValues('loadStateDict', value), { dtype })

/** @throws what the first fault is, with all of them in its message */
function refuseFaults(faults: readonly (readonly [new (message: string) => Error, readonly string[]])[]): void {
  const first = faults.find(([, texts]) => texts.length > 0)
  if (first === undefined) return
  const [Kind] = first
  throw new Kind(expectation('loadStateDict', faults.flatMap(([, texts]) => texts).join('; expected ')))
}
