/** Every operation as a function, a file for each family. */
export * from './basic.ts'
export * from './shape.ts'
