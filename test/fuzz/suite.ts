/**
 * What a fuzz suite is: the module test/fuzz/<name>/index.ts that exports `run`. `npm run fuzz` calls it for minutes from a
 * random seed, a test beside it for a few cases of one seed. A case follows from the seed and its number alone.
 */

/** Cases from `first` on, so many, or as many as there are until then (as Date.now counts); the first at least. */
export interface Budget {
  readonly first: number
  readonly cases: number
  readonly until: number
}

export interface Report {
  /** So many cases ended so. */
  count(outcome: string, times?: number): void
  /** What should not be, and the arguments of `npm run fuzz --` that show it again. */
  fault(what: string, again: string): void
}

export type Run = (seed: number, budget: Budget, report: Report) => Promise<void>

/** How a case of a suite is run again. */
export const again = (suite: string, seed: number, number: number): string =>
  `--suite ${suite} --seed ${seed} --case ${number}`

/** So many cases, however long they take. */
export const cases = (count: number, first = 0): Budget => ({ first, cases: count, until: Infinity })

/** The numbers of the cases that a budget pays for. */
export function* numbersOf({ first, cases, until }: Budget): Generator<number> {
  for (let i = 0; i < cases; i++) {
    if (i > 0 && Date.now() >= until) return
    yield first + i
  }
}

/** A report for tests, and for whoever prints one at the end. */
export class Tally implements Report {
  readonly counts = new Map<string, number>()
  readonly faults: { readonly what: string; readonly again: string }[] = []

  count(outcome: string, times = 1): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + times)
  }

  fault(what: string, again: string): void {
    this.faults.push({ what, again })
  }
}
