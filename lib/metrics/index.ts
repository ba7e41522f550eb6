/** What training reports beside its loss: functions of one batch, and metrics that go over all data. */
export * from './metrics.ts'
export * as streaming from './streaming/index.ts'
export type { AddOptions, MetricDefinition, MetricState, UpdateOptions } from './streaming.ts'
export { StreamingMetric } from './streaming.ts'
export type { MetricParts, MetricTotals, Moments, MomentTotals, RowTotals } from './totals.ts'
