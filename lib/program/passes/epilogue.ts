/**
 * Bias and activation become part of the matmul or convolution they follow, which applies both while its tile is in registers,
 * and so does max pooling by 2×2 of a convolution. The mask that relu's gradient is becomes part of the gradient of max pooling
 * that it follows.
 */
import { elementAt } from '../../base/lists.ts'
import { extentAt, sizeOf } from '../../base/shape.ts'
import { type Draft, type DraftInstruction, type Uses, usesOf } from '../draft.ts'
import type { Instruction, InstructionOf } from '../instructions.ts'
import type { MicroInstruction } from '../micro-ops.ts'
import { isDense } from '../patterns.ts'
import { valueAt } from '../program.ts'
import type { ActivationName, LoadPattern } from '../vocabulary.ts'

const isActivation = (op: string): op is ActivationName =>
  op === 'relu' || op === 'leakyRelu' || op === 'sigmoid' || op === 'tanh'

type Product = InstructionOf<'matmul'> | InstructionOf<'quantizedMatmul'> | InstructionOf<'conv2d'>

/** By opcode, how many operands a product has without a bias. */
const products = { matmul: 2, quantizedMatmul: 3, conv2d: 2 } as const

const isProduct = (next: Draft['instructions'][number]): next is Product => Object.hasOwn(products, next.opcode)
type Absorb = (draft: Draft, product: Product, next: InstructionOf<'elementwise'>) => Product | null

/** product → + bias → activation → max pooling becomes one product. */
export function fuseEpilogues(draft: Draft): void {
  const uses = usesOf(draft)
  const removed = new Set<number>()
  for (let position = 0; position < draft.instructions.length; position++) {
    const biased = absorbReader(draft, uses, removed, position, absorbBias)
    const activated = absorbReader(draft, uses, removed, biased, absorbActivation)
    absorbPooling(draft, uses, removed, activated)
    absorbMask(draft, uses, removed, position)
  }
  draft.instructions = draft.instructions.filter((_, position) => !removed.has(position))
}

/** The product moves to where its only reader stood, since that one's other operands may be younger. Gives its position. */
function absorbReader(draft: Draft, uses: Uses, removed: Set<number>, position: number, rule: Absorb): number {
  const product = elementAt(draft.instructions, position)
  if (!isProduct(product)) return position
  if (product.params.activation !== 'none' || removed.has(position)) return position
  const value = elementAt(product.outputs, 0)
  if (valueAt(draft, value).dtype === 'int32') return position
  const reader = uses.lastReaders[value]!
  const next = uses.counts[value] === 1 ? draft.instructions[reader] : undefined
  const fused = next?.opcode === 'elementwise' ? rule(draft, product, next) : null
  if (fused === null) return position
  removed.add(position)
  draft.instructions[reader] = fused
  return reader
}

/** As `absorbReader`, of max pooling, both of whose operands are what a convolution gives. */
function absorbPooling(draft: Draft, uses: Uses, removed: Set<number>, position: number): void {
  const product = elementAt(draft.instructions, position)
  if (product.opcode !== 'conv2d' || removed.has(position)) return
  const value = elementAt(product.outputs, 0)
  const reader = uses.lastReaders[value]!
  const next = draft.instructions[reader]
  if (next?.opcode !== 'maxPool2d' || uses.counts[value] !== 1 || next.inputs.some((x) => x !== value)) return
  if (!isPoolingByTwo(next, product)) return
  const { outHeight: pooledHeight, outWidth: pooledWidth } = next.params
  removed.add(position)
  draft.instructions[reader] = {
    ...{ opcode: 'maxPooledConv2d', inputs: product.inputs, outputs: next.outputs },
    params: { ...product.params, pooledHeight, pooledWidth },
  } as Instruction
}

/** where(x > 0, g, 0), of the gradient g of max pooling of x, is that gradient of what is rectified. */
function absorbMask(draft: Draft, uses: Uses, removed: Set<number>, position: number): void {
  const gradient = elementAt(draft.instructions, position)
  if (gradient.opcode !== 'maxPool2dGradient') return
  const [x, value] = [elementAt(gradient.inputs, 0), elementAt(gradient.outputs, 0)]
  const reader = uses.lastReaders[value]!
  const next = draft.instructions[reader]
  if (next === undefined || uses.counts[value] !== 1) return
  const [mask, given, otherwise] = soleOperands(next, 'where')
  const comparison = draft.instructions.findIndex(({ outputs }) => mask !== undefined && outputs.includes(mask))
  const [compared, least] = soleOperands(draft.instructions[comparison], 'greater')
  if (given !== value || compared !== x || !isZero(draft, otherwise) || !isZero(draft, least)) return
  removed.add(position)
  if (uses.counts[mask!] === 1) removed.add(comparison)
  draft.instructions[reader] = { ...gradient, outputs: next.outputs, params: { ...gradient.params, rectified: true } }
}

/** The operands of an elementwise instruction of one step, where all are dense or numbers; else none. */
function soleOperands(next: DraftInstruction | undefined, op: string): readonly number[] {
  if (next?.opcode !== 'elementwise') return []
  const { shape, operands, code } = next.params
  const [step] = code
  const areWhole = operands.every(
    (pattern) => isDense(shape, pattern) || pattern.strides.every((stride) => stride === 0),
  )
  return code.length === 1 && step!.op === op && areWhole ? step!.args.map((arg) => elementAt(next.inputs, arg)) : []
}

const isZero = (draft: Draft, value: number | undefined): boolean =>
  value !== undefined && Object.is(literalOf(draft, value), 0)

/** Whether windows of 2×2 lie side by side inside the planes of a convolution. */
function isPoolingByTwo({ params: p }: InstructionOf<'maxPool2d'>, { params: c }: InstructionOf<'conv2d'>): boolean {
  const sizes = [p.kernelHeight, p.kernelWidth, p.strideHeight, p.strideWidth]
  const isDense = p.dilationHeight === 1 && p.dilationWidth === 1 && p.padTop === 0 && p.padLeft === 0
  const isInside = 2 * p.outHeight <= p.height && 2 * p.outWidth <= p.width
  const arePlanes = p.height === c.outHeight && p.width === c.outWidth && p.planes === c.batch * c.groups * c.filters
  return sizes.every((size) => size === 2) && isDense && isInside && arePlanes
}

/** What a bias adds to: [rows, channels, plane], with one element for each channel. */
function biasedExtents(product: Product): { channels: number; plane: number } {
  if (product.opcode !== 'conv2d') return { channels: product.params.n, plane: 1 }
  const { groups, filters, outHeight, outWidth } = product.params
  return { channels: groups * filters, plane: outHeight * outWidth }
}

/** Whether a pattern reads a dense [channels] once for each of a plane's elements, and again for every row. */
function isPerChannel({ offset, strides }: LoadPattern, shape: readonly number[], product: Product): boolean {
  const { channels, plane } = biasedExtents(product)
  let inner = 1
  let found = channels === 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const isChannels = !found && inner === plane && shape[axis] === channels
    if (shape[axis] !== 1 && strides[axis] !== (isChannels ? 1 : 0)) return false
    found ||= isChannels
    inner *= extentAt(shape, axis)
  }
  return found && offset === 0
}

const absorbBias: Absorb = (draft, product, next) => {
  const [c] = product.outputs
  const { code, operands, shape } = next.params
  const [step] = code
  if (product.inputs.length > products[product.opcode] || code.length !== 1 || step!.op !== 'add') return null
  const [left, right] = step!.args.map((register) => elementAt(next.inputs, register))
  const bias = left === c ? 1 : 0
  const value = bias === 1 ? right! : left!
  const dense = isDense(shape, elementAt(operands, step!.args[1 - bias]!))
  if (left === right || !dense || !isPerChannel(elementAt(operands, step!.args[bias]!), shape, product)) return null
  if (sizeOf(valueAt(draft, value).shape) !== biasedExtents(product).channels) return null
  return { ...product, inputs: [...product.inputs, value], outputs: next.outputs } as Product
}

const absorbActivation: Absorb = (draft, product, next) => {
  const step = soleStep(next, elementAt(product.outputs, 0))
  if (step === null || !isActivation(step.op)) return null
  const slope = step.op === 'leakyRelu' ? literalOf(draft, elementAt(next.inputs, elementAt(step.args, 1))) : 0
  if (slope === null) return null
  return { ...product, outputs: next.outputs, params: { ...product.params, activation: step.op, slope } } as Product
}

/** The one micro-instruction of a group of one, reading `value` densely as its first operand. */
function soleStep({ inputs, params }: InstructionOf<'elementwise'>, value: number): MicroInstruction | null {
  const { shape, operands, code } = params
  const first = elementAt(code, 0).args[0]!
  return code.length === 1 && inputs[first] === value && isDense(shape, elementAt(operands, first))
    ? elementAt(code, 0)
    : null
}

function literalOf(draft: Draft, value: number): number | null {
  const { place } = valueAt(draft, value)
  return place?.kind === 'literal' ? elementAt(draft.literals, place.index)[0]! : null
}
