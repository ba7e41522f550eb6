/** Quantiles of what was measured. */

/** 0 for none. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = Float64Array.from(numbers).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)
