/** Activation functions by the names that Keras has for them. */
import { isPlainObject } from '../base/options.ts'
import * as g from '../operations/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Config, Dialect } from './config.ts'

export type Activation = (x: Tensor) => Tensor

/** x shrunk towards 0 by `by`, and 0 within it. */
const softShrink = (x: Tensor, by: number): Tensor => x.sub(g.clamp(x, -by, by))

const sparsePlus = (x: Tensor): Tensor =>
  g.where(x.greaterEqual(1), x, g.where(x.lessEqual(-1), x.mul(0), x.add(1).square().mul(0.25)))

const activations: Readonly<Record<string, Activation>> = {
  linear: (x) => x,
  celu: (x) => g.celu(x),
  elu: (x) => g.elu(x),
  exponential: (x) => g.exp(x),
  gelu: (x) => g.gelu(x),
  gelu_new: (x) => g.gelu(x, { approximate: 'tanh' }),
  glu: (x) => g.glu(x),
  hard_shrink: (x) => g.where(g.abs(x).greater(0.5), x, x.mul(0)),
  hard_sigmoid: (x) => g.hardSigmoid(x),
  hard_silu: (x) => g.hardSwish(x),
  hard_swish: (x) => g.hardSwish(x),
  hard_tanh: (x) => g.hardTanh(x),
  leaky_relu: (x) => g.leakyRelu(x, 0.2),
  log_sigmoid: (x) => g.logSigmoid(x),
  log_softmax: (x) => g.logSoftmax(x),
  mish: (x) => g.mish(x),
  relu: (x) => x.relu(),
  relu6: (x) => g.relu6(x),
  selu: (x) => g.selu(x),
  sigmoid: (x) => x.sigmoid(),
  silu: (x) => g.silu(x),
  soft_shrink: (x) => softShrink(x, 0.5),
  softmax: (x) => g.softmax(x),
  softplus: (x) => g.softplus(x),
  softsign: (x) => g.softsign(x),
  sparse_plus: sparsePlus,
  sparse_sigmoid: (x) => g.clamp(x.add(1).mul(0.5), 0, 1),
  squareplus: (x) => x.add(x.square().add(4).sqrt()).mul(0.5),
  swish: (x) => g.silu(x),
  tanh: (x) => x.tanh(),
  tanh_shrink: (x) => x.sub(x.tanh()),
  threshold: (x) => g.threshold(x, 0, 0),
}

/** What Keras 2 and TensorFlow.js compute under a name of Keras 3. */
const older: Readonly<Record<string, Activation>> = {
  hard_sigmoid: (x) => g.clamp(x.mul(0.2).add(0.5), 0, 1),
}

const byName = (name: string, dialect: Dialect): Activation | undefined =>
  dialect === 'keras2' && Object.hasOwn(older, name)
    ? older[name]
    : Object.hasOwn(activations, name)
      ? activations[name]
      : undefined

/** Spellings of objects and of TensorFlow.js (`hardSigmoid`) as Keras has them. */
const snakeCase = (name: string): string => name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

/** The activation that an option names; the identity where there is none. */
export function activationOf(config: Config, option = 'activation', fallback = 'linear'): Activation {
  const value = config.get(option) ?? fallback
  const name = typeof value === 'string' ? value : nameOf(value)
  const found = name === undefined ? undefined : byName(snakeCase(name), config.origin.dialect)
  return found ?? config.fail(`an activation that is known as ${option}`, name ?? value)
}

/** An object of Keras 3: a function of its own name, or a layer without options. */
function nameOf(value: unknown): string | undefined {
  if (!isPlainObject(value)) return undefined
  const { class_name: kind, config } = value as Record<string, unknown>
  if (kind === 'function' && typeof config === 'string') return config
  return typeof kind === 'string' && kind !== 'function' ? kind : undefined
}
