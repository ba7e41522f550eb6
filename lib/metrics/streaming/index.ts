/**
 * Metrics over all data, batch by batch, each a `StreamingMetric`: `update`, `result`, `reset`. They take predictions, and targets or
 * labels, as the functions of the same names in `metrics` do; values are those that scikit-learn defines.
 */
export type { DecisionOptions, From, ScoreOptions, Task, TaskOptions } from './cases.ts'
export * from './classes.ts'
export type { NameOption } from './common.ts'
export * from './curves.ts'
export * from './likelihood.ts'
export * from './means.ts'
export * from './regression.ts'
