/** Adam with Nesterov's momentum, as a rule on tensors. */
import { tensor } from '../tensor/creation.ts'
import {
  biasCorrection,
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  decayed,
  moved,
  optimizerOf,
  withDecay,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface NadamOptions extends CommonOptions<NadamOptions> {
  /** Of the mean of gradients; 0.9 unless given. */
  beta1?: number
  /** Of the mean of their squares; 0.999 unless given. */
  beta2?: number
  /** Added to the root of the second moment: 1e-8 unless given. */
  epsilon?: number
  /** How fast the momentum grows to beta1; 0.004 unless given. */
  momentumDecay?: number
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
  /** Whether the decay shrinks the parameter by lr·weightDecay instead; false unless given. */
  decoupledWeightDecay?: boolean
}

const definition: Definition<NadamOptions> = {
  name: 'nadam',
  types: {
    beta1: 'number',
    beta2: 'number',
    epsilon: 'number',
    momentumDecay: 'number',
    weightDecay: 'number',
    decoupledWeightDecay: 'boolean',
  },
  defaults: {
    learningRate: 0.002,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    momentumDecay: 0.004,
    weightDecay: 0,
    decoupledWeightDecay: false,
  },
  rule(op, { beta1, beta2, epsilon, momentumDecay, weightDecay, decoupledWeightDecay }) {
    checkFractions(op, { beta1, beta2 })
    checkNotNegative(op, { epsilon, momentumDecay, weightDecay })
    return ({ parameter: p, gradient: g, learningRate, step, slot }) => {
      const parameter = decoupledWeightDecay ? decayed(p, learningRate, weightDecay) : p
      const gradient = decoupledWeightDecay ? g : withDecay(g, p, weightDecay)
      const momentumAt = (t: typeof step) =>
        t
          .mul(momentumDecay * Math.log(0.96))
          .exp()
          .mul(-0.5)
          .add(1)
          .mul(beta1)
      const [momentum, nextMomentum] = [momentumAt(step), momentumAt(step.add(1))]
      const momentumProduct = slot('momentumProduct', tensor(1, { dtype: p.dtype })).mul(momentum)
      const firstMoment = moved(slot('firstMoment'), gradient, beta1)
      const secondMoment = moved(slot('secondMoment'), gradient.square(), beta2)
      const scale = secondMoment.div(biasCorrection(beta2, step)).sqrt().add(epsilon)
      const ofGradient = learningRate.mul(momentum.neg().add(1)).div(momentumProduct.neg().add(1))
      const ofMoment = learningRate.mul(nextMomentum).div(momentumProduct.mul(nextMomentum).neg().add(1))
      const change = gradient.mul(ofGradient).add(firstMoment.mul(ofMoment)).div(scale)
      return { parameter: parameter.sub(change), firstMoment, secondMoment, momentumProduct }
    }
  },
}

/**
 * Adam that looks ahead: μₜ = β₁·(1 − 0.96^(t·momentumDecay)/2); m and v as in `adam`; p ← p − lr·((1 − μₜ)·g/(1 − Πμ) +
 * μₜ₊₁·m/(1 − Πμ·μₜ₊₁)) / (√(v/(1 − β₂ᵗ)) + ε). Dozat, "Incorporating Nesterov momentum into Adam" (2016), as PyTorch's NAdam has it.
 * Keras's Nadam.
 */
export function nadam(options?: NadamOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
