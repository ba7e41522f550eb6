/** What training makes small. A loss of logits is computed from the logits, so that large ones neither overflow nor vanish. */
export * from './binary.ts'
export * from './classes.ts'
export type { ClassOptions, LossOptions, Reduction } from './common.ts'
export * from './ctc.ts'
export * from './distributions.ts'
export * from './embeddings.ts'
export * from './regression.ts'
