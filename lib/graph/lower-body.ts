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

/** Of programs that an instruction runs on the same operands: each has all of their literals as inputs. */
export function lowerBodies(bodies: readonly BodyParts[]): { programs: Program[]; literals: readonly Literal[] } {
  const drafted = bodies.map((parts) => ({ constants: parts.constants.length, program: programOf(parts) }))
  const all = drafted.map(({ program }) => literalsOf(program))
  const literals = all.flat()
  const programs = drafted.map(({ constants, program }, i) => {
    const before = all.slice(0, i).flat().length
    return withoutLiterals(program, { constants, before, literals })
  })
  return { programs, literals }
}

export function lowerBody(parts: BodyParts): LoweredBody {
  const { programs, literals } = lowerBodies([parts])
  return { program: elementAt(programs, 0), literals }
}

function programOf({ constants, sequences = [], carries = [], results }: BodyParts): Program {
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
  return buildProgram(draft)
}

function literalsOf({ values, literals }: Program): Literal[] {
  const types = new Array<TensorType>(literals.length)
  for (const { dtype, shape, place } of values) if (place.kind === 'literal') types[place.index] = { dtype, shape }
  return literals.map((array, i) => ({ array, ...elementAt(types, i) }))
}

interface AllLiterals {
  readonly constants: number
  /** How many of the literals are those of other programs, and come first. */
  readonly before: number
  readonly literals: readonly Literal[]
}

/** Literals become inputs after the first `constants`, and the inputs that stood there follow them. */
function withoutLiterals(program: Program, { constants, before, literals }: AllLiterals): Program {
  const own = program.literals.length
  const values = program.values.map((value): Value => {
    const { place } = value
    if (place.kind === 'literal') return { ...value, place: { kind: 'input', index: constants + before + place.index } }
    const isMoved = place.kind === 'input' && place.index >= constants
    return isMoved ? { ...value, place: { kind: 'input', index: place.index + literals.length } } : value
  })
  literals.forEach(({ dtype, shape }, i) => {
    const isOwn = i >= before && i < before + own
    if (!isOwn) values.push({ dtype, shape, place: { kind: 'input', index: constants + i } })
  })
  return { ...program, values, literals: [], inputCount: program.inputCount + literals.length }
}
