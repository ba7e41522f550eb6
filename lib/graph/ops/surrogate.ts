/** The step with the gradient of a smooth function, by which a network of steps can be trained. */
import { expected } from '../../base/errors.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { abs, add, div, lowerTo, mul, square } from './elementwise.ts'
import { floatDType, toDType } from './promotion.ts'

/** ct times what stands for the derivative of the step. */
const surrogates = {
  straightThrough: (ct: Node): Node => ct,
  fastSigmoid: (ct: Node, x: Node, slope: number): Node => div(ct, square(add(mul(abs(x), slope), 1))),
}

export type Surrogate = keyof typeof surrogates

const surrogateStepOp: OpDef<{ surrogate: Surrogate; slope: number }, Unary> = {
  name: 'surrogateStep',
  infer: ([x]) => x,
  vjp: (ct, { inputs: [x], params }) => [surrogates[params.surrogate](ct, x, params.slope)],
  lower: lowerTo('step'),
}

export function surrogateStep(x: Node, surrogate: Surrogate, slope: number): Node {
  if (!Object.hasOwn(surrogates, surrogate))
    throw new TypeError(expected('step', `a surrogate (${Object.keys(surrogates).join(', ')})`, surrogate))
  return record(surrogateStepOp, [toDType(x, floatDType(x.dtype))], { surrogate, slope })
}

export const surrogateOps = { surrogateStep: surrogateStepOp }
