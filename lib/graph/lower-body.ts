/** From a closed graph to the program that an instruction runs. */
import type { TypedArray } from '../base/dtype.ts'
import { elementAt } from '../base/lists.ts'
import { buildProgram } from '../program/build.ts'
import { addValue, emptyDraft } from '../program/draft.ts'
import type { Place, Program, Value } from '../program/program.ts'
import { Emitter } from './emitter.ts'
import { bindResult } from './lower.ts'
import { type Node, type TensorType, topologicalOrder } from './node.ts'

/** A carry: what stands for it, and the node of its next value. */
export interface Carried {
  readonly arg: Node
  readonly next: Node
}

export interface BodyParts {
  /** The first inputs of the program. */
  readonly constants: readonly Node[]
  /** The inputs that follow them. */
  readonly sequences?: readonly Node[]
  /** The states. */
  readonly carries?: readonly Carried[]
  readonly results: readonly Node[]
}

export interface LoweredBody {
  /** Without literals: they are inputs after the constants. */
  readonly program: Program
  readonly literals: readonly Literal[]
}

interface Literal extends TensorType {
  readonly array: TypedArray
}

export function lowerBody({ constants, sequences = [], carries = [], results }: BodyParts): LoweredBody {
  const draft = emptyDraft()
  const emitter = new Emitter(draft)
  const bound = new Set<Node>()
  const bind = (node: Node, place: Place) => {
    bound.add(node)
    emitter.setView(node, emitter.denseView(addValue(draft, node.dtype, node.shape, place)))
  }
  for (const node of [...constants, ...sequences]) bind(node, { kind: 'input', index: draft.inputCount++ })
  for (const { arg } of carries) bind(arg, { kind: 'state', index: draft.stateCount++ })
  draft.resultCount = results.length
  const bindResults = (areBound: boolean) => {
    results.forEach((node, index) => {
      if (bound.has(node) === areBound) bindResult(emitter, node, index)
    })
  }
  // What is given is copied first, so that a state may be written over as soon as possible.
  bindResults(true)
  const roots = [...results, ...carries.map(({ next }) => next)]
  const computed = topologicalOrder(roots, (node) => (bound.has(node) ? [] : node.inputs)).filter(
    (node) => !bound.has(node),
  )
  for (const node of computed) node.def.announce?.(emitter, node)
  for (const node of computed) emitter.setView(node, node.def.lower(emitter, node))
  bindResults(false)
  carries.forEach(({ next }, state) => {
    draft.updates.push({ state, value: emitter.dense(next) })
  })
  return withoutLiterals(buildProgram(draft), constants.length)
}

/** The literals become inputs after the first `constants`, and the inputs that stood there follow them. */
function withoutLiterals(program: Program, constants: number): LoweredBody {
  const count = program.literals.length
  const types = new Array<TensorType>(count)
  const values = program.values.map((value): Value => {
    const { place, dtype, shape } = value
    if (place.kind === 'literal') {
      types[place.index] = { dtype, shape }
      return { ...value, place: { kind: 'input', index: constants + place.index } }
    }
    const isMoved = place.kind === 'input' && place.index >= constants
    return isMoved ? { ...value, place: { kind: 'input', index: place.index + count } } : value
  })
  const literals = program.literals.map((array, i) => ({ array, ...elementAt(types, i) }))
  return { program: { ...program, values, literals: [], inputCount: program.inputCount + count }, literals }
}
