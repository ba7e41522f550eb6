/** Every operation as a function, a file for each family. */
export * from './activations.ts'
export * from './basic.ts'
export * from './indexing.ts'
export * from './shape.ts'
