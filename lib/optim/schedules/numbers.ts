/** Checks of the numbers that schedules are made of, and the line that many of them go along. */
import { checkInteger, checkNumber } from '../../base/arguments.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Each a learning rate, by its name. */
export function checkRates(op: string, rates: Readonly<Record<string, unknown>>): void {
  for (const [name, rate] of Object.entries(rates))
    checkNumber(op, `a finite ${name} of at least 0`, rate, (x) => Number.isFinite(x) && x >= 0)
}

/** A count of steps; the counts in a program are exact up to 2²⁴. */
export const checkSteps = (op: string, name: string, value: unknown, least = 1): number =>
  checkInteger(op, `${name} to be an integer of at least ${least}`, value, least, 2 ** 24)

export const checkFactor = (op: string, name: string, value: unknown): number =>
  checkNumber(op, `a finite ${name} above 0`, value, (x) => Number.isFinite(x) && x > 0)

/** From 0 at one step to 1 at another, and the same before and after. */
export const ramp = (step: Tensor, from: number, to: number): Tensor =>
  to > from
    ? step
        .sub(from)
        .div(to - from)
        .clamp(0, 1)
    : step.greaterEqual(to).cast(step.dtype)

/** From one number to another while x goes from 0 to 1. */
export const along = (x: Tensor, from: number, to: number): Tensor => x.mul(to - from).add(from)

/** The same along half a wave of the cosine. */
export const alongCosine = (x: Tensor, from: number, to: number): Tensor =>
  x
    .mul(Math.PI)
    .cos()
    .add(1)
    .mul((from - to) / 2)
    .add(to)

/** A factor to the power of x; the logarithm keeps what float32 would round off a factor close to 1. */
export const powerOf = (factor: number, x: Tensor): Tensor => x.mul(Math.log(factor)).exp()
