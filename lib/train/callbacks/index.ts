/** The hooks that are built in, as `g.callbacks`. */
export { type EarlyStoppingOptions, earlyStopping } from './early-stopping.ts'
export { learningRateSchedule, type ReduceLROnPlateauOptions, reduceLROnPlateau } from './learning-rate.ts'
export { csvLogger, jsonLogger } from './loggers.ts'
export { type ModelCheckpointOptions, modelCheckpoint } from './model-checkpoint.ts'
export { type ProgressBarOptions, progressBar } from './progress-bar.ts'
