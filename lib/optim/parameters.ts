/** What an optimizer may be given to train: variables in a list, by name, or all of a module. */
import { checkFunction, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { foreignKind } from '../base/identity.ts'
import { checkRecord, isPlainObject } from '../base/options.ts'
import { Variable } from '../tensor/variable.ts'

/** A module of `nn`, or whatever else says what its parameters are called. */
export interface HasNamedParameters {
  namedParameters(): Readonly<Record<string, Variable>>
}

/** Variables in a list, by name as `model.namedParameters()` gives them, or a module. The names are those in the optimizer's state. */
export type TrainedParameters = readonly Variable[] | Readonly<Record<string, Variable>> | HasNamedParameters

/** Variables, each once, and what they are called; in a list they have no names but their own. */
export interface NamedVariables {
  readonly variables: readonly Variable[]
  readonly names: ReadonlyMap<Variable, string>
}

const what = 'variables in a list or by name, or a module'

/** @throws TypeError for anything else */
export function namedVariables(op: string, given: TrainedParameters): NamedVariables {
  if (Array.isArray(given))
    return { variables: [...new Set(given.map((x) => checkedVariable(op, x)))], names: new Map() }
  const names = new Map<Variable, string>()
  for (const [name, variable] of Object.entries(recordOf(op, given as Exclude<TrainedParameters, readonly Variable[]>)))
    if (!names.has(checkedVariable(op, variable))) names.set(variable, name)
  return { variables: [...names.keys()], names }
}

function recordOf(
  op: string,
  given: Exclude<TrainedParameters, readonly Variable[]>,
): Readonly<Record<string, Variable>> {
  if (typeof given !== 'object' || given === null || foreignKind(given) !== undefined)
    throw new TypeError(expected(op, what, describe(given)))
  const { namedParameters } = given
  if (namedParameters === undefined && isPlainObject(given)) return given as Readonly<Record<string, Variable>>
  if (typeof namedParameters !== 'function') throw new TypeError(expected(op, what, describe(given)))
  checkFunction(op, what, namedParameters)
  const found: Readonly<Record<string, Variable>> = namedParameters.call(given)
  return checkRecord(op, 'variables by name from namedParameters()', found)
}

function checkedVariable(op: string, x: unknown): Variable {
  if (!(x instanceof Variable)) throw new TypeError(expected(op, what, `${describe(x)} in it`))
  return x
}
