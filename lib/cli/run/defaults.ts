/** What a configuration does not say. */
import type { TrainConfig } from '../config/schema.ts'
import type { Target } from '../data/description.ts'

const defaults = { optimizer: 'adam', epochs: 10, batchSize: 32, seed: 0 } as const

export type CompleteConfig = TrainConfig & { readonly [Name in keyof typeof defaults]: NonNullable<TrainConfig[Name]> }

export const withDefaults = (config: TrainConfig): CompleteConfig => ({ ...defaults, ...config }) as CompleteConfig

/** The loss of what is learnt, unless there is one. */
export const withLoss = <Config extends TrainConfig>(config: Config, { type }: Target): Config => ({
  ...config,
  loss: config.loss ?? (type === 'classes' ? 'crossEntropy' : 'mse'),
})
