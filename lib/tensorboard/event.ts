/** What an event of TensorBoard's files says, as plain data. */
import type { GraphNodeValue, HistogramValue, PrCurveValue } from '../events/record.ts'

/** An image as its file stands there: a PNG, but others write JPEG and GIF too. */
export interface EncodedImage {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

/** What stands under a tag. */
export type SummaryValue = {
  readonly tag: string
  /** The plugin that shows it: `scalars`, `images`; empty where none is named. */
  readonly plugin: string
} & (
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'histogram'; readonly value: HistogramValue }
  | { readonly kind: 'images'; readonly images: readonly EncodedImage[] }
  /** Markdown; several where it is a tensor of texts. */
  | { readonly kind: 'text'; readonly texts: readonly string[] }
  | { readonly kind: 'prCurve'; readonly value: PrCurveValue }
  | { readonly kind: 'hyperparameters'; readonly values: Readonly<Record<string, number | string | boolean>> }
  /** The end of a run with hyper-parameters. */
  | { readonly kind: 'end'; readonly state: 'ended' | 'failed' }
  /** Numbers of another plugin, or of a shape that its plugin does not know. */
  | { readonly kind: 'tensor'; readonly shape: readonly number[]; readonly numbers: readonly number[] }
  /** What is none of these. */
  | { readonly kind: 'other' }
)

/** One event of a file. */
export interface TensorBoardEvent {
  readonly step: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** Where its record starts in the file, in bytes. */
  readonly start: number
  /** Where the next one starts: from there a later call goes on. */
  readonly end: number
  /** What a file begins with: `brain.Event:2`. */
  readonly fileVersion?: string
  /** The nodes of a graph. */
  readonly graph?: readonly GraphNodeValue[]
  readonly values: readonly SummaryValue[]
}
