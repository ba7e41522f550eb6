/** A value whose gradient is what a rule says, and not that of the operations that made it. */
import type { Emitter, View } from '../emitter.ts'
import { type Binary, type Cotangents, type Node, type OpDef, type Params, record } from '../node.ts'
import type { ProductParams } from '../precision.ts'

type AtLeastOne = readonly [Node, ...Node[]]

type Rule<X extends readonly Node[]> = (cotangent: Node, y: Node, xs: X) => Cotangents<X>

/** Of all that have a rule: what has this lowering is its first input, but for gradients. */
export const lowerFirst = (emitter: Emitter, { inputs: [y] }: { inputs: AtLeastOne }): View => emitter.viewOf(y)

export const customGradientOp: OpDef<null, AtLeastOne> = {
  name: 'customGradient',
  infer: ([y]) => y,
  lower: lowerFirst,
}

/** The operation (y, …xs) ↦ y whose gradient in xs is what the rule says, of products of its precision; the one of y is 0. */
export const withRule = <X extends readonly Node[]>(
  rule: Rule<X>,
  name = customGradientOp.name,
): OpDef<ProductParams, readonly [Node, ...X]> => ({
  name,
  infer: ([y]) => y,
  lower: lowerFirst,
  vjp(ct, node) {
    const [, ...xs] = node.inputs
    return [null, ...rule(ct, node, xs)]
  },
})

/** The cotangents of the operands from that of the result; y is the node itself, so that a rule may use its value. */
export type Derivative<I extends readonly Node[]> = (ct: Node, y: Node, ...operands: I) => Cotangents<I>

/** A function of nodes whose derivative is not that of the operations it is made of, where these lose digits or are ∞·0. */
export function composed<I extends AtLeastOne>(
  name: string,
  value: (...xs: I) => Node,
  derivative: Derivative<I>,
): (...xs: I) => Node {
  const def = withRule<I>((ct, y, xs) => derivative(ct, y, ...xs), name)
  return (...xs) => record(def, [value(...xs), ...xs], null)
}

/** The same of one node and parameters, which are plain data. */
export function composedBy<P extends Params>(
  name: string,
  value: (x: Node, params: P) => Node,
  derivative: (ct: Node, y: Node, x: Node, params: P) => Node,
): (x: Node, params: P) => Node {
  const def: OpDef<P, Binary> = {
    name,
    infer: ([y]) => y,
    vjp: (ct, node) => [null, derivative(ct, node as Node, node.inputs[1], node.params)],
    lower: lowerFirst,
  }
  return (x, params) => record(def, [value(x, params), x], params)
}
