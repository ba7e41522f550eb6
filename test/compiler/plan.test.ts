import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { compile } from '../../lib/compile.ts'
import { tensor } from '../../lib/creation.ts'
import { randn } from '../../lib/random.ts'
import type { Tensor } from '../../lib/tensor.ts'
import { variable } from '../../lib/variable.ts'
import { build, resultsOf } from './support.ts'

beforeAll(() => setBackend('reference'))

const values = (...variables: Tensor[]) => variables.map((v) => v.arraySync())

describe('updates of variables', () => {
  test('two variables exchange their values', () => {
    const [a, b] = [variable([1, 2]), variable([3, 4])]
    compile(() => {
      const old = a.value
      a.assign(b)
      b.assign(old)
    }).sync()
    expect(values(a, b)).toEqual([
      [3, 4],
      [1, 2],
    ])
  })

  test('three variables go round', () => {
    const [a, b, c] = [variable(1), variable(2), variable(3)]
    const turn = compile(() => {
      const old = a.value
      a.assign(b)
      b.assign(c)
      c.assign(old)
    })
    turn.sync()
    expect(values(a, b, c)).toEqual([2, 3, 1])
    turn.sync()
    expect(values(a, b, c)).toEqual([3, 1, 2])
  })

  test('two variables take one value', () => {
    const [a, b] = [variable([1, 2]), variable([3, 4])]
    const step = compile((x) => {
      a.assign(a.add(x))
      b.assign(a)
    })
    step.sync(tensor(10))
    expect(values(a, b)).toEqual([
      [11, 12],
      [11, 12],
    ])
    step.sync(tensor(10))
    expect(values(a, b)).toEqual([
      [21, 22],
      [21, 22],
    ])
  })

  test('the last of two assignments counts, and the first is what the second reads', () => {
    const v = variable([1, 2])
    compile(() => {
      v.assign(v.add(1))
      v.assign(v.mul(10))
    }).sync()
    expect(v.arraySync()).toEqual([20, 30])
  })

  test('an old value is read after the update', () => {
    const [v, w] = [
      variable([
        [1, 2],
        [3, 4],
      ]),
      variable([
        [0, 0],
        [0, 0],
      ]),
    ]
    const old = compile(() => {
      const before = v.value
      v.assign(v.mul(2))
      w.assign(before.transpose())
      return [before.transpose(), before.matmul(before), v.sum()]
    }).sync()
    expect(values(v, w)).toEqual([
      [
        [2, 4],
        [6, 8],
      ],
      [
        [1, 3],
        [2, 4],
      ],
    ])
    expect(values(...old)).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
      [
        [7, 10],
        [15, 22],
      ],
      20,
    ])
  })

  test('the assigned value is returned', () => {
    const v = variable([1, 2])
    const step = compile(() => {
      v.assign(v.add(1))
      return v
    })
    const first = step.sync()
    const second = step.sync()
    expect(values(v, first, second)).toEqual([
      [3, 4],
      [2, 3],
      [3, 4],
    ])
  })

  test('an assigned view is written out', () => {
    const v = variable([
      [1, 2],
      [3, 4],
    ])
    const step = compile((x) => {
      v.assign(v.transpose().add(x).transpose())
      v.assign(v.transpose())
    })
    step.sync(tensor(0))
    expect(v.arraySync()).toEqual([
      [1, 3],
      [2, 4],
    ])
  })

  test('a value may be assigned that does not depend on the variable', () => {
    const [v, constant] = [variable([1, 2]), tensor([5, 6])]
    compile((x) => {
      v.assign(x)
    }).sync(tensor([3, 4]))
    expect(v.arraySync()).toEqual([3, 4])
    compile(() => v.assign(constant)).sync()
    expect(v.arraySync()).toEqual([5, 6])
    compile(() => v.assign([7, 8])).sync()
    expect(v.arraySync()).toEqual([7, 8])
    expect(constant.arraySync()).toEqual([5, 6])
  })

  test('nothing that fails comes after an update', () => {
    const [v, w] = [variable([1, 2]), variable([[1], [2]])]
    const step = compile((indices) => {
      v.assign(v.add(1))
      w.assign(w.scatterAdd(indices, w.gather(indices)))
      return v.gather(indices)
    })
    expect(() => step.sync(tensor([0, 2], { dtype: 'int32' }))).toThrow(RangeError)
    expect(values(v, w)).toEqual([
      [1, 2],
      [[1], [2]],
    ])
    const gathered = step.sync(tensor([0, 1], { dtype: 'int32' }))
    expect(values(v, w, gathered)).toEqual([
      [2, 3],
      [[2], [4]],
      [2, 3],
    ])
  })
})

describe('values in place', () => {
  test('an operand of narrower elements is not overwritten', () => {
    const bytes = randn([64], { seed: 1 }).mul(100).cast('uint8')
    const wide = bytes.slice(0, 16).cast('float32').add(0.5)
    const [result] = resultsOf(build([wide], []))
    expect(Array.from(result!)).toEqual(Array.from(bytes.dataSync().slice(0, 16), (x) => x + 0.5))
  })
})
