/** Files of PyTorch, as `galvani/torch`. */
export { load, loadSync } from './load.ts'
export type { TorchValue } from './plain.ts'
export { type Saveable, type SaveOptions, save } from './save.ts'
