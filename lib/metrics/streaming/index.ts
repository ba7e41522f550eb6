/** Metrics over all data, batch by batch, with what they have seen. A `StreamingMetric` each: `update`, `result`, `reset`. */
export * from './means.ts'
export * from './regression.ts'
