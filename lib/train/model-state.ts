/** The values of a model by name, of whatever has `parameters` as well as of modules. */
import { loadStateDict, type StateDict, stateDict } from '../tensor/state-dict.ts'
import type { Variable } from '../tensor/variable.ts'
import type { AnyTrainable } from './options.ts'

interface WithState {
  stateDict(): StateDict
  loadStateDict(state: StateDict): void
}

const hasState = (model: object): model is WithState =>
  typeof (model as Partial<WithState>).stateDict === 'function' &&
  typeof (model as Partial<WithState>).loadStateDict === 'function'

const numbered = (variables: readonly Variable[]) => Object.fromEntries(variables.map((variable, i) => [i, variable]))

/** What a model holds now, which stays what it is: its `stateDict()`, or its parameters by number where it has none. */
export const modelState = (model: AnyTrainable): StateDict =>
  hasState(model) ? model.stateDict() : stateDict(numbered(model.parameters()))

/** Takes over what `modelState` gave. */
export function loadModel(model: AnyTrainable, state: StateDict): void {
  if (hasState(model)) model.loadStateDict(state)
  else loadStateDict(numbered(model.parameters()), state)
}
