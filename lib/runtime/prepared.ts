/**
 * Prepared graphs by their structure: whatever has been prepared for a graph serves all others that differ from it in data
 * and numbers alone. Numbers are constants of the program at first, which the passes make the most of. Those that turn
 * out to change from graph to graph become inputs of it, once and for all.
 */
import { activeBackend } from '../backend/active.ts'
import type { Backend } from '../backend/backend.ts'
import { elementAt } from '../base/lists.ts'
import { RecentlyUsed } from '../base/recently-used.ts'
import type { NodeUpdate } from '../graph/lower.ts'
import type { Node } from '../graph/node.ts'
import { isLiteral, literalValue } from '../graph/ops/leaf.ts'
import { keyOf, matches, type Structure, type StructureKey } from '../graph/structure.ts'
import { type GraphInputs, hold, type PreparedGraph, prepareGraph, release } from './execution.ts'

/** A literal that is a constant of the program, by its place in the order of the structure. */
interface Constant {
  readonly position: number
  readonly value: number
}

interface Entry {
  readonly key: StructureKey
  readonly chosen: Backend
  preparations: number
  graph: PreparedGraph
  /** For each input of the program, its place in the order. */
  inputs: readonly number[]
  constants: readonly Constant[]
}

/** The third time that another number changes they all become inputs, so that a structure is prepared a few times at most. */
const mostPreparations = 4

/** Keeps so many structures with what was prepared for them; the one that was used longest ago goes first. */
export class PreparedGraphs {
  readonly #entries: RecentlyUsed<number, Entry>

  constructor(most: number) {
    this.#entries = new RecentlyUsed(most, ({ graph }) => release(graph))
  }

  get size(): number {
    return this.#entries.size
  }

  /** What computes results and updates of this structure, and the inputs that its program has there. */
  find(structure: Structure, results: readonly Node[], updates?: readonly NodeUpdate[]): GraphInputs {
    const chosen = activeBackend()
    let entry = this.#entries.find(structure.hash, (entry) => entry.chosen === chosen && matches(entry.key, structure))
    if (entry === undefined) {
      entry = newEntry(structure, chosen, prepareGraph(results, updates))
      this.#entries.add(structure.hash, entry)
    } else if (!hasConstants(entry, structure)) prepareForNumbers(entry, structure, results, updates)
    const { order } = structure
    return { graph: entry.graph, inputs: entry.inputs.map((position) => elementAt(order, position)) }
  }
}

function newEntry(structure: Structure, chosen: Backend, { graph, inputs }: GraphInputs): Entry {
  hold(graph)
  return {
    key: keyOf(structure),
    chosen,
    preparations: 1,
    graph,
    inputs: inputs.map(({ position }) => position),
    constants: structure.order.filter(isLiteral).map(constantOf),
  }
}

const constantOf = (literal: Node): Constant => ({ position: literal.position, value: literalValue(literal) })

const isConstant = ({ position, value }: Constant, { order }: Structure): boolean =>
  Object.is(literalValue(elementAt(order, position)), value)

function hasConstants({ constants }: Entry, structure: Structure): boolean {
  for (const constant of constants) if (!isConstant(constant, structure)) return false
  return true
}

/** Prepares a structure anew, with those numbers as inputs that are no constants after all. */
function prepareForNumbers(
  entry: Entry,
  structure: Structure,
  results: readonly Node[],
  updates?: readonly NodeUpdate[],
): void {
  const isLast = entry.preparations + 1 >= mostPreparations
  const constants = isLast ? [] : entry.constants.filter((constant) => isConstant(constant, structure))
  const kept = new Set(constants.map(({ position }) => position))
  const numbers = new Set(structure.order.filter((node) => isLiteral(node) && !kept.has(node.position)))
  const { graph, inputs } = prepareGraph(results, updates, numbers)
  hold(graph)
  release(entry.graph)
  entry.preparations++
  entry.graph = graph
  entry.inputs = inputs.map(({ position }) => position)
  entry.constants = constants
}
