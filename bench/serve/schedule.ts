/** When requests are meant to be sent, whatever becomes of those before them. */
import { uniforms } from '../../test/support/tape.ts'

/** `poisson`: as many clients that know nothing of each other send them; `constant`: one like the other. */
export type Arrivals = 'poisson' | 'constant'

/** Milliseconds from the beginning, ascending: so many a second, for so many seconds. */
export function intendedTimes(rate: number, seconds: number, arrivals: Arrivals, seed: number): Float64Array {
  const uniform = uniforms(seed)
  const times: number[] = []
  const gap = 1000 / rate
  // Of a Poisson process the gaps are distributed exponentially.
  const next = arrivals === 'constant' ? () => gap : () => -Math.log(1 - uniform()) * gap
  for (let time = next(); time < 1000 * seconds; time += next()) times.push(time)
  return Float64Array.from(times)
}
