import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { maxPool2d, relu } from '../../lib/operations/index.ts'
import { tensor, zeros } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import { evaluateSync, type Tensor } from '../../lib/tensor/tensor.ts'
import { grad } from '../../lib/transforms/gradients.ts'
import { build, opcodesOf, resultsOf } from '../support/graph-program.ts'

let seed = 0
const given = (...shape: number[]) => evaluateSync(randn(shape, { seed: seed++ }))[0]

const [x, y, column] = [given(3, 4), given(3, 4), given(3, 1)]
const [w, b] = [given(4, 5), given(5)]

beforeAll(() => setBackend('reference'))

const opcodes = (...tensors: Tensor[]) => opcodesOf(build(tensors).program)

describe('the epilogue of a matmul', () => {
  test('takes in bias and activation', () => {
    expect(opcodes(x.matmul(w).add(b).sigmoid())).toEqual(['matmul'])
    expect(opcodes(b.add(x.matmul(w)))).toEqual(['matmul'])
    expect(opcodes(x.matmul(w).tanh())).toEqual(['matmul'])
    expect(
      opcodes(
        x
          .matmul(w)
          .add(b.reshape([1, 5]))
          .leakyRelu(),
      ),
    ).toEqual(['matmul'])
  })

  test('takes in a bias that is computed later than the product', () => {
    const product = x.matmul(w)
    expect(opcodes(product.add(b.mul(2).exp()).relu())).toEqual(['elementwise', 'matmul'])
  })

  test.each<[string, () => Tensor[]]>([
    ['the product is a result, too', () => [x.matmul(w), x.matmul(w)].flatMap((c) => [c, c.relu()])],
    ['the product is read twice', () => [x.matmul(w)].map((c) => c.add(b).mul(c))],
    ['what is added is no row', () => [x.matmul(w).add(given(3, 5)), x.matmul(w).add(column)]],
    ['what is added is one number', () => [x.matmul(w).add(1), x.matmul(w).add(b.slice(2, 3))]],
    ['the operation is another one', () => [x.matmul(w).sub(b), x.matmul(w).exp()]],
    [
      'the product is read transposed',
      () => [
        x
          .matmul(w)
          .transpose()
          .add(column.reshape([3])),
      ],
    ],
    ['the product is added to itself', () => [x.matmul(w)].map((c) => c.add(c))],
  ])('is left alone where %s', (_, make) => {
    const built = build(make(), ['epilogue'])
    for (const instruction of built.program.instructions)
      if (instruction.opcode === 'matmul') {
        expect(instruction.inputs.length).toBe(2)
        expect(instruction.params.activation).toBe('none')
      }
    expect(opcodesOf(built.program)).toContain('elementwise')
  })

  test('keeps the order of activation and bias', () => {
    const { program } = build([x.matmul(w).relu().add(b)])
    expect(opcodesOf(program)).toEqual(['matmul', 'elementwise'])
  })

  test('joins products into one another', () => {
    const hidden = x.matmul(w).add(b).relu()
    expect(opcodes(hidden.matmul(w.transpose()).add(given(4)).sigmoid())).toEqual(['matmul', 'matmul'])
  })
})

test('the mask of relu becomes part of the gradient of max pooling', () => {
  const image = given(1, 1, 4, 4)
  const { program } = build([grad((x: Tensor) => maxPool2d(relu(x), 2).sum())(image)])
  const gradient = program.instructions.at(-1)!
  expect(gradient.opcode).toBe('maxPool2dGradient')
  expect(gradient.params).toMatchObject({ rectified: true })
})

describe('elementwise groups', () => {
  test('take in chains, and trees of what is read once', () => {
    expect(opcodes(x.add(1).mul(y).exp())).toEqual(['elementwise'])
    expect(opcodes(x.add(1).mul(y.sub(2).tanh()))).toEqual(['elementwise'])
  })

  test('take in what they read twice, themselves or by another member', () => {
    const s = x.add(y)
    expect(opcodes(s.mul(s))).toEqual(['elementwise'])
    expect(opcodes(s.mul(s.neg().exp()).sub(s))).toEqual(['elementwise'])
  })

  test('change of dtype is no obstacle', () => {
    expect(opcodes(x.greater(y).cast('float32').mul(x).cast('int32'))).toEqual(['elementwise'])
  })

  test.each<[string, () => Tensor[], number]>([
    ['another shape', () => [x.add(1).reshape([12]).mul(2)], 2],
    ['a reader that broadcasts', () => [column.exp().mul(x)], 2],
    ['a reader that transposes', () => [x.exp().transpose().mul(2)], 2],
    ['two readers that stay apart', () => [x.exp()].flatMap((e) => [e.add(1), e.sub(1)]), 3],
    ['a value that is a result', () => [x.exp()].flatMap((e) => [e, e.add(1)]), 2],
    ['an instruction of another kind between', () => [x.exp().sum(0).log()], 2],
  ])('end at %s', (_, make, count) => {
    expect(opcodes(...make()).filter((opcode) => opcode === 'elementwise').length).toBe(count)
  })

  test('stay small: as many steps and operands as a group may have', () => {
    let chain = x
    for (let i = 0; i < 100; i++) chain = chain.add(y)
    let sum = zeros([3, 4])
    for (let i = 0; i < 40; i++) sum = sum.add(tensor(new Float32Array(12).fill(i), { shape: [3, 4] }))
    for (const [result, expected] of [
      [chain, null],
      [sum, 780],
    ] as const) {
      const built = build([result])
      for (const { opcode, params, inputs } of built.program.instructions)
        if (opcode === 'elementwise') {
          expect(params.code.length).toBeLessThanOrEqual(24)
          expect(inputs.length).toBeLessThanOrEqual(12)
        }
      expect(opcodesOf(built.program).length).toBeLessThanOrEqual(5)
      if (expected !== null) expect(resultsOf(built)[0]![0]).toBe(expected)
    }
  })
})
