/** What a figure should be, and whether it is. */

export function goal(what: string, value: number, bound: 'at least' | 'at most', limit: number): void {
  const isMet = bound === 'at least' ? value >= limit : value <= limit
  console.log(`${isMet ? '✓' : '✗'} ${what}: ${Number(value.toPrecision(3))} (${bound} ${limit})`)
}
