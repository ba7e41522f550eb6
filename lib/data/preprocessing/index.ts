/** What prepares data inside the program, as `g.data.preprocessing`: modules, whose numbers are found in data and saved with a model. */
export {
  Discretize,
  type DiscretizeOptions,
  discretize,
  Hashing,
  type HashingOptions,
  hashing,
  type OneHotOptions,
  oneHot,
} from './categories.ts'
export type { FeatureOptions } from './features.ts'
export { FillMissing, type FillMissingOptions, fillMissing } from './missing.ts'
export type { Observed, Select } from './observing.ts'
export { MinMax, type MinMaxOptions, minMax, Standardize, standardize } from './scaling.ts'
export type { Texts } from './texts.ts'
export { Vocabulary, type VocabularyOptions, vocabulary } from './vocabulary.ts'
