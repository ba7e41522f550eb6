/** Outputs and gradients of operations against PyTorch's, from the JSON files of test/fixtures. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from './backends.ts'

interface Numbers {
  readonly shape: number[]
  /** What JSON has no number for is a string that Number() understands. */
  readonly data: readonly (number | string | boolean)[]
}

interface Fixture<Params> {
  readonly name: string
  readonly note?: string
  readonly params: Params
  readonly inputs: readonly (Numbers & { dtype: 'float64' | 'int32' | 'bool' })[]
  readonly cotangent: Numbers
  readonly output: Numbers
  /** Of each input; null where none is asked for. */
  readonly gradients: readonly (Numbers | null)[]
}

/** An operation as a fixture names it: of the input tensors and the fixture's own parameters. */
export type Operation<Params> = (xs: readonly g.Tensor[], params: Params) => g.Tensor

/** The operations of one and of two tensors without parameters. */
export const unary =
  (f: (x: g.Tensor) => g.Tensor): Operation<unknown> =>
  ([x]) =>
    f(x!)
export const binary =
  (f: (x: g.Tensor, y: g.Tensor) => g.Tensor): Operation<unknown> =>
  ([x, y]) =>
    f(x!, y!)

/** What follows the operands of a function of the package. */
export interface Following {
  readonly parameters: readonly never[]
}

/** A function of the package, called as it is: operands, then what follows. */
export const calling =
  <Operands extends readonly unknown[]>(f: (...operands: Operands) => g.Tensor): Operation<Following> =>
  (xs, { parameters }) =>
    f(...([...xs, ...parameters] as readonly unknown[] as Operands))

const toTensor = ({ shape, data }: Numbers, dtype: g.DType): g.Tensor => g.tensor(data.map(Number), { shape, dtype })

/** Every element within the tolerance, relative above 1; an infinity is itself. */
function expectNumbers(actual: g.Tensor, expected: Numbers, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape)
  actual.dataSync().forEach((x, i) => {
    const wanted = Number(expected.data[i])
    if (Object.is(x, wanted)) return
    const text = `${what}, element ${i}: expected ${wanted}, got ${x}`
    expect(Math.abs(x - wanted), text).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)))
  })
}

const title = ({ name, note, inputs }: Fixture<unknown>): string =>
  `${name} ${inputs.map(({ shape }) => `[${shape}]`).join(' ')}${note === undefined ? '' : `: ${note}`}`

/** Every fixture of a file of test/fixtures, in float64 on the reference and in float32 on every backend. */
export function describeFixtures<Params>(file: string, operations: Readonly<Record<string, Operation<Params>>>): void {
  const fixtures: readonly Fixture<Params>[] = JSON.parse(
    readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8'),
  )
  describe.each([
    ['float64', 'reference', 1e-12] as const,
    ...backendNames.map((backend) => ['float32', backend, 2e-6] as const),
  ])('%s on the %s backend agrees with PyTorch', (dtype, backend, tolerance) => {
    beforeAll(() => g.setBackend(backend))

    test.each(fixtures.map((fixture) => [title(fixture), fixture] as const))('%s', (_, fixture) => {
      const xs = fixture.inputs.map((x) => toTensor(x, x.dtype === 'float64' ? dtype : x.dtype))
      const y = operations[fixture.name]!(xs, fixture.params)
      const wanted = fixture.gradients.flatMap((gradient, i) => (gradient === null ? [] : [{ gradient, x: xs[i]! }]))
      const found = g.gradients(
        y,
        wanted.map(({ x }) => x),
        toTensor(fixture.cotangent, dtype),
      )
      expectNumbers(y, fixture.output, tolerance, 'output')
      wanted.forEach(({ gradient }, i) => {
        expectNumbers(found[i]!, gradient, tolerance, `gradient ${i}`)
      })
    })
  })
}
