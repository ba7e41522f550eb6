/** Every operation as a function, a file for each family. */
export * from './activations.ts'
export * from './attention.ts'
export * from './basic.ts'
export * from './dropout.ts'
export * from './embedding.ts'
export * from './indexing.ts'
export * from './normalization.ts'
export * from './shape.ts'
