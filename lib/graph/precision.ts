/** What the products that are being recorded round their operands to. */
import type { Precision } from '../program/vocabulary.ts'
import type { Node } from './node.ts'

let active: Precision = 'float32'

/** Of products that are recorded now. */
export const activePrecision = (): Precision => active

/** Runs a function whose products are recorded in a precision. */
export function withActivePrecision<T>(precision: Precision, fn: () => T): T {
  const outer = active
  active = precision
  try {
    return fn()
  } finally {
    active = outer
  }
}

/** The parameters of a product, null for what is usual. */
export type ProductParams = { readonly precision: Precision } | null

const rounded = { precision: 'bf16' } as const

/** Of a product of such operands that is recorded now. Only float32 is rounded. */
export const productParams = ({ dtype }: Node): ProductParams =>
  active === 'float32' || dtype !== 'float32' ? null : rounded

/** The precision of a node; that of what is no product is float32. */
export const precisionOf = ({ params }: Node): Precision => (params?.precision as Precision | undefined) ?? 'float32'
