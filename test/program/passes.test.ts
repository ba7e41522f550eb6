import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { activeBackend, setBackend } from '../../lib/backend/active.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import { barrier } from '../../lib/graph/ops/gradient-rules.ts'
import { type PassName, parsePasses, passNames } from '../../lib/program/passes/index.ts'
import { type Program, valueBytes } from '../../lib/program/program.ts'
import { formatProgram } from '../../lib/program/text.ts'
import { full, ones, tensor, zeros } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import { evaluateSync, nodeOf, type Tensor, wrap } from '../../lib/tensor/tensor.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { compile } from '../../lib/transforms/compile.ts'
import { backends } from '../runtime/backends.ts'
import { build, opcodesOf, resultsOf } from '../support/graph-program.ts'
import { randomGraph } from '../support/random-graph.ts'
import { type RunOutcome, runProgram } from '../support/run.ts'
import { Tape, tape, uniforms } from '../support/tape.ts'
import { accumulated, expectClose, expectSame } from '../support/tolerance.ts'
import { trainingSteps } from '../support/training-steps.ts'

beforeEach(() => setBackend('reference'))

/** All passes but some. */
const without = (...left: PassName[]) => passNames.filter((pass) => !left.includes(pass))

const given = (...shape: number[]) => evaluateSync(randn(shape, { seed: shape.length }))[0]

const textOf = (tensors: readonly Tensor[], passes?: readonly PassName[]) =>
  formatProgram(build(tensors, passes).program)

const opcodes = (...tensors: Tensor[]) => opcodesOf(build(tensors).program)

describe('GALVANI_PASSES', () => {
  test.each<[string, readonly PassName[]]>([
    ['', passNames],
    [' , ', passNames],
    ['none', []],
    ['elementwise', ['elementwise']],
    ['reuse, constants', ['constants', 'reuse']],
    ['-elementwise', without('elementwise')],
    ['-common,-inPlace', without('common', 'inPlace')],
  ])("'%s'", (text, expected) => {
    expect(parsePasses(text)).toEqual(expected)
  })

  test.each(['fuse', '-fuse', 'none,elementwise', 'elementwise,toString', '--dead'])('%s is an error', (text) => {
    expect(() => parsePasses(text)).toThrow(RangeError)
    expect(() => parsePasses(text)).toThrow('constants, common, dead, epilogue, elementwise, inPlace, reuse')
  })

  test('to run and to leave out together is an error', () => {
    expect(() => parsePasses('constants,-dead')).toThrow('GALVANI_PASSES: expected passes to run, or with a -')
  })

  test('is obeyed, and an error reaches the user', () => {
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const programWith = (passes: string) => {
      vi.stubEnv('GALVANI_PASSES', passes)
      return compile((x: Tensor) => x.add(1).mul(2)).program(zeros([3]))
    }
    const count = (text: string) => text.match(/elementwise/g)!.length
    expect(count(programWith(''))).toBe(1)
    expect(count(programWith('-elementwise'))).toBe(2)
    expect(() => programWith('-fusion')).toThrow('GALVANI_PASSES: expected none, or some of')
  })
})

describe('constants', () => {
  test('are computed, as far as they go', () => {
    const x = given(3)
    expect(textOf([x.mul(tensor(2)), x.mul(full([], 1).div(8).add(2).square())])).toMatchInlineSnapshot(`
      "%0: float32[3] input 0
      %1: float32[] input 1
      %3: float32[] literal 0 = 4.515625
      %2: float32[3] result 0 = elementwise { a = mul %0 %1 } → a
      %4: float32[3] result 1 = elementwise { a = mul %0 %3 } → a
      arena 0 bytes"
    `)
  })

  test('keep the sign of a zero, infinities and NaN', () => {
    const zero = full([], 0)
    const results = [full([], 1).div(zero.neg()), zero.div(0), zero.neg().sub(zero), zero.neg().mul(1)]
    const values = (passes: readonly PassName[]) => resultsOf(build(results, passes)).map(([x]) => x)
    expect(values(passNames)).toEqual([-Infinity, Number.NaN, -0, -0])
    expect(values([])).toEqual(values(passNames))
  })

  test('are rounded as the dtype has it', () => {
    const third = full([], 1).div(3)
    const [x] = resultsOf(build([given(1).mul(0).add(third.mul(3).sub(1))]))
    expect(x![0]).toBe(Math.fround(Math.fround(Math.fround(1 / 3) * 3) - 1))
  })

  test('are not made of what the backends round differently, nor of integers', () => {
    const x = given(2)
    for (const constant of [full([], 2).exp(), full([], 2).pow(0.3), full([], 2).cast('int32').mul(3).cast('float32')])
      expect(build([x.add(constant)], without('elementwise')).program.instructions.length).toBeGreaterThan(1)
  })

  test('what multiplies or divides by 1, or takes 0 away, goes', () => {
    const x = given(3, 4).add(0)
    expect(opcodes(x.exp().mul(1).div(1).sub(0))).toEqual(['elementwise'])
    expect(textOf([x.mul(1).mul(tensor(1)).softmax()], ['constants'])).not.toContain('literal 1 = 1')
    expect(opcodes(given(4).mul(1))).toEqual(['copy'])
  })

  test.each<[string, (x: Tensor) => Tensor]>([
    ['x + 0, which makes 0 of −0', (x) => x.add(0)],
    ['x − −0, which does', (x) => x.sub(-0)],
    ['1 − x', (x) => full([], 1).sub(x)],
    ['1 / x', (x) => full([], 1).div(x)],
    ['a broadcast x', (x) => x.reshape([3, 1]).mul(ones([3, 2]))],
  ])('not so %s', (_, f) => {
    expect(opcodes(f(given(3)))).toEqual(['elementwise'])
  })

  test('a variable that becomes what it was is left alone', () => {
    const v = variable([1, 2])
    const step = compile(() => v.assign(v.mul(1)))
    step.sync()
    expect(v.arraySync()).toEqual([1, 2])
    expect(step.program()).toBe('%0: float32[2] state 0\narena 0 bytes')
  })

  test('a variable may become a constant', () => {
    const v = variable([1])
    compile(() => v.assign(full([1], 1).div(4))).sync()
    expect(v.arraySync()).toEqual([0.25])
  })
})

describe('common subexpressions', () => {
  const [x, w] = [given(3, 4), given(4, 4)]

  test('are computed once', () => {
    expect(opcodes(x.matmul(w).exp().add(x.matmul(w).sum(0)))).toEqual(['matmul', 'reduce', 'elementwise'])
    expect(opcodes(x.softmax().sum(1).add(x.softmax().max(1))).filter((opcode) => opcode === 'softmax').length).toBe(1)
  })

  test('are found behind what is not worth sharing', () => {
    const product = () => x.add(1).mul(2).matmul(w)
    expect(opcodes(product().softmax().add(product()))).toEqual(['elementwise', 'matmul', 'softmax', 'elementwise'])
  })

  test('within a group are one step', () => {
    const f = (y: Tensor) => y.add(1).relu()
    expect(textOf([f(x).mul(f(x))])).toContain('{ a = add %0 %1; b = relu a; c = mul b b }')
  })

  test('that are cheap stay in the groups that read them', () => {
    const groups = () => [x.add(1).sum(0), x.add(1).mul(x).softmax()]
    expect(opcodes(...groups()).filter((opcode) => opcode === 'elementwise').length).toBe(2)
  })

  test('that are results are copied', () => {
    const built = build([x.matmul(w), x.matmul(w)])
    expect(opcodesOf(built.program)).toEqual(['matmul', 'copy'])
    const [a, b] = resultsOf(built)
    expectSame(b!, a!)
  })

  test.each<[string, () => Tensor[]]>([
    ['parameters', () => [x.sum(0, { keepDims: true }).sum(), x.transpose().matmul(w.slice(0, 3)).max()]],
    ['operands in another order', () => [x.sub(x.exp()).sum(), x.exp().sub(x).sum()]],
    ['dtypes', () => [x.greater(0).cast('float32').sum(), x.greater(0).cast('int32').sum()]],
    ['zeros of another sign', () => [x.maximum(0).log().sum(), x.maximum(-0).log().sum()]],
  ])('are none with other %s', (_, make) => {
    const tensors = make()
    const results = resultsOf(build(tensors))
    resultsOf(build(tensors, [])).forEach((result, i) => {
      expectClose(results[i]!, result, accumulated(16, 64))
    })
  })

  test('are not shared across a barrier, which leaves nothing of itself', () => {
    const apart = wrap(barrier(nodeOf(x), [nodeOf(w)]))
    expect(opcodes(x.softmax().matmul(apart.softmax().transpose()))).toEqual(['softmax', 'softmax', 'matmul'])
    const twice = [apart, wrap(barrier(nodeOf(x), [nodeOf(w)]))].map((y) => y.softmax().max())
    expect(opcodes(...twice)).toEqual(['softmax', 'reduce', 'softmax', 'reduce'])
  })

  test('random numbers of other sizes are not the same', () => {
    const [a, b] = resultsOf(build([randn([4], { seed: 1 }).sum(), randn([8], { seed: 1 }).sum()]))
    expect(a![0]).not.toBe(b![0])
  })
})

describe('dead code', () => {
  test('goes, with what only it needed', () => {
    const logits = given(3, 4)
    const labels = zeros([3], { dtype: 'int32' })
    const loss = logits.softmaxCrossEntropy(labels).sum()
    expect(textOf([loss])).not.toContain('float32[3,4] @')
    expect(textOf([loss], without('dead'))).toContain('float32[3,4] @')
  })

  test('stays where it may end the run', () => {
    const x = tensor([[1], [2]])
    const step = () => x.gather(tensor([5], { dtype: 'int32' })).mul(1)
    expect(() => resultsOf(build([step(), step().exp()]))).toThrow(RangeError)
  })
})

describe('the planner without its passes', () => {
  test('in place: every value in a slot of its own, every update copied', () => {
    const v = variable(zeros([64]))
    vi.stubEnv('GALVANI_PASSES', '-inPlace')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const step = compile((x: Tensor) => v.assign(v.mul(0.5).add(x)))
    expect(step.program(zeros([64]))).toContain('state 0 = copy')
    step.sync(ones([64]))
    step.sync(ones([64]))
    expect(v.dataSync()[0]).toBe(1.5)
  })

  test('reuse: no two slots overlap', () => {
    const x = given(8, 8)
    const slots = (passes: readonly PassName[]) =>
      build([x.matmul(x).matmul(x).matmul(x).sum()], passes).program.arenaBytes / 256
    expect([slots(passNames), slots(without('reuse'))]).toEqual([2, 3])
  })
})

/** What a pass may change: nothing, or the last bits, as a matmul's epilogue does, and what makes room for one. */
const changesBits: readonly PassName[] = ['constants', 'common', 'epilogue']

function expectAlike(pass: PassName, actual: readonly TypedArray[], expected: readonly TypedArray[]): void {
  actual.forEach((data, i) => {
    if (changesBits.includes(pass)) expectClose(data, expected[i]!, accumulated(64, 64), `without ${pass}: ${i}`)
    else expectSame(data, expected[i]!, `without ${pass}: ${i}`)
  })
}

describe.each(backends)('every pass on and off on %s', (backend) => {
  test('random graphs give the same', () => {
    setBackend(backend)
    const saved = Object.fromEntries(passNames.map((pass) => [pass, 0])) as Record<PassName, number>
    fc.assert(
      fc.property(tape, (numbers) => {
        const { results } = randomGraph(new Tape(numbers))
        const all = build(results)
        const expected = resultsOf(all, activeBackend())
        for (const pass of passNames) {
          const rest = build(results, without(pass))
          expectAlike(pass, resultsOf(rest, activeBackend()), expected)
          const spared =
            rest.program.instructions.length -
            all.program.instructions.length +
            Number(rest.program.arenaBytes > all.program.arenaBytes)
          saved[pass] += Math.max(0, spared)
        }
        resultsOf(build(results, []), activeBackend()).forEach((data, i) => {
          expectClose(data, expected[i]!, accumulated(64, 64), `result ${i} without any`)
        })
      }),
      { numRuns: 100 },
    )
    // Of what is recorded, only what another pass leaves behind is dead.
    for (const pass of without('dead')) expect([pass, saved[pass] > 0]).toEqual([pass, true])
  })

  const steps = Object.entries(trainingSteps()).filter(([name]) => backend === 'native' || !/10|wide/.test(name))
  test.each(steps)('training step: %s', (_, program) => {
    setBackend(backend)
    const whole = program()
    const expected = runStep(whole)
    for (const pass of passNames) {
      const rest = program(without(pass))
      if (isDeepStrictEqual(rest, whole)) continue
      const actual = runStep(rest)
      expectAlike(pass, actual.results, expected.results)
      actual.states.forEach((state, i) => {
        // Adam divides by the root of the second moment, here at least 0.1: its step is some multiples of the rate.
        if (changesBits.includes(pass)) expectClose(state, expected.states[i]!, accumulated(1024, 16), `state ${i}`)
        else expectSame(state, expected.states[i]!, `state ${i} without ${pass}`)
      })
    }
  })
})

/** Runs the program of a training step on numbers that do not depend on the passes: of its inputs and states. */
function runStep(program: Program): RunOutcome {
  const inputs: TypedArray[] = []
  const states: TypedArray[] = []
  const written = new Set(program.instructions.flatMap(({ outputs }) => outputs))
  program.values.forEach((value, id) => {
    const { place, dtype } = value
    if (written.has(id) || (place.kind !== 'input' && place.kind !== 'state')) return
    const next = uniforms(place.kind === 'input' ? 1000 + place.index : place.index)
    const isSecondMoment = place.kind === 'state' && place.index % 3 === 2
    const size = valueBytes(value) / (dtype === 'uint8' ? 1 : 4)
    const numbers = Array.from({ length: size }, () => (isSecondMoment ? 0.1 + next() : 0.2 * next() - 0.1))
    if (dtype === 'int32') inputs[place.index] = new Int32Array(size)
    else if (dtype === 'uint8') inputs[place.index] = Uint8Array.from({ length: size }, () => 255 * next())
    else if (place.kind === 'state') states[place.index] = Float32Array.from(numbers)
    else inputs[place.index] = size === 1 ? Float32Array.of(1) : Float32Array.from(numbers)
  })
  return runProgram(activeBackend(), program, inputs, states.slice(0, program.stateCount))
}
