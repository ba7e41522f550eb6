/** Plots of trainings, scores and tensors, as `g.plot`: text, SVG and PNG. */
export type { AxisOptions, SeriesValues } from './chart.ts'
export { type ConfusionMatrixPlotOptions, confusionMatrix } from './confusion-matrix.ts'
export { type HistogramPlotOptions, histogram } from './histogram.ts'
export { type HistoryLike, type HistoryPlotOptions, history } from './history.ts'
export { lines } from './lines.ts'
export { Plot, type PngOptions, type SvgOptions, type TextOptions } from './plot.ts'
export { type RocCurveOptions, rocCurve } from './roc-curve.ts'
export { type SchedulePlotOptions, schedule } from './schedule.ts'
