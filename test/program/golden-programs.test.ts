import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { linear } from '../../lib/nn/linear.ts'
import { rmsNorm } from '../../lib/operations/normalization.ts'
import { adam } from '../../lib/optim/adam.ts'
import { sgd } from '../../lib/optim/sgd.ts'
import { tensor, zeros } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { compile } from '../../lib/transforms/compile.ts'
import { gradients } from '../../lib/transforms/gradients.ts'

beforeAll(() => setBackend('reference'))

const labels = (count: number) => zeros([count], { dtype: 'int32' })

describe('one instruction', () => {
  test('matmul, bias and activation', () => {
    const f = compile((x, w, b) => x.matmul(w).add(b).relu())
    expect(f.program(zeros([2, 4]), zeros([4, 3]), zeros([3]))).toMatchInlineSnapshot(`
      "%0: float32[2,4] input 0
      %1: float32[4,3] input 1
      %2: float32[3] input 2
      %3: float32[2,3] result 0 = matmul %0 %1 + %2, relu
      arena 0 bytes"
    `)
  })

  test('the gradient of gelu takes its derivative at once', () => {
    const f = compile((x, ct) => gradients(x.gelu(), [x], ct))
    expect(f.program(zeros([4]), zeros([4]))).toMatchInlineSnapshot(`
      "%0: float32[4] input 0
      %1: float32[4] input 1
      %2: float32[4] result 0 = elementwise { a = geluDerivative %1; b = mul %0 a } → b
      arena 0 bytes"
    `)
  })

  test('a product of transposed operands', () => {
    const f = compile((x, w) => x.transpose().matmul(w.transpose()).leakyRelu(0.5))
    expect(f.program(zeros([4, 2]), zeros([3, 4]))).toMatchInlineSnapshot(`
      "%0: float32[4,2] input 0
      %1: float32[3,4] input 1
      %2: float32[2,3] result 0 = matmul %0ᵀ %1ᵀ, leakyRelu 0.5
      arena 0 bytes"
    `)
  })

  test('a batch of rows times one matrix is one tall product', () => {
    const f = compile((x, w, b) => x.matmul(w).add(b).tanh())
    expect(f.program(zeros([5, 2, 4]), zeros([4, 3]), zeros([3]))).toMatchInlineSnapshot(`
      "%0: float32[5,2,4] input 0
      %1: float32[4,3] input 1
      %2: float32[3] input 2
      %3: float32[5,2,3] result 0 = matmul %0 %1 + %2, tanh
      arena 0 bytes"
    `)
  })

  test('a chain of elementwise operations', () => {
    const f = compile((x, y) => x.mul(y).add(1).exp().sub(x).maximum(0))
    expect(f.program(zeros([2, 3]), zeros([3]))).toMatchInlineSnapshot(`
      "%0: float32[2,3] input 0
      %1: float32[3] input 1
      %2: float32[] literal 0 = 1
      %3: float32[] literal 1 = 0
      %4: float32[2,3] result 0 = elementwise { a = mul %0 %1(0,1); b = add a %2; c = exp b; d = sub c %0; e = maximum d %3 } → e
      arena 0 bytes"
    `)
  })

  test('elementwise operations that share operands', () => {
    const f = compile((x) => {
      const s = x.sigmoid()
      return s.mul(s.neg().add(1))
    })
    expect(f.program(zeros([4]))).toMatchInlineSnapshot(`
      "%0: float32[4] input 0
      %1: float32[] literal 0 = 1
      %2: float32[4] result 0 = elementwise { a = sigmoid %0; b = neg a; c = add b %1; d = mul a c } → d
      arena 0 bytes"
    `)
  })

  test('the loss and the gradient of softmax and cross-entropy', () => {
    const f = compile((logits, classes) => {
      const loss = logits.softmaxCrossEntropy(classes).sum()
      return [loss, ...gradients(loss, [logits])]
    })
    expect(f.program(zeros([4, 3]), labels(4))).toMatchInlineSnapshot(`
      "%0: float32[4,3] input 0
      %1: int32[4] input 1
      %2: float32[4] @0, %3: float32[4,3] result 1 = softmaxCrossEntropy %0 %1 { rows: 4, columns: 3 }
      %4: float32[1] result 0 = reduce %2 { kind: sum, outer: 1, reduced: 4, inner: 1 }
      arena 64 bytes"
    `)
  })

  test('the loss alone, without its gradient', () => {
    const f = compile((logits, classes) => logits.softmaxCrossEntropy(classes))
    expect(f.program(zeros([4, 3]), labels(4))).toMatchInlineSnapshot(`
      "%0: float32[4,3] input 0
      %1: int32[4] input 1
      %2: float32[4] result 0 = softmaxCrossEntropy %0 %1 { rows: 4, columns: 3 }
      arena 0 bytes"
    `)
  })

  test('movement costs nothing where an operand may be read so', () => {
    const f = compile((x, y) =>
      x
        .transpose()
        .slice(1)
        .add(y.reshape([2, 2]).broadcastTo([2, 2])),
    )
    expect(f.program(zeros([2, 3]), zeros([4]))).toMatchInlineSnapshot(`
      "%0: float32[2,3] input 0
      %1: float32[4] input 1
      %2: float32[2,2] result 0 = elementwise { a = add %0(1: 1,3) %1 } → a
      arena 0 bytes"
    `)
  })
})

// Logits, labels and the gradient as a result: three copies, and one loss with its gradient.
test('what has to be dense is copied once', () => {
  const f = compile((logits, classes) => {
    const loss = logits
      .transpose()
      .softmaxCrossEntropy(classes.slice(0, 8, { step: 2 }))
      .sum()
    return [loss, ...gradients(loss, [logits])]
  })
  const { length } = f.program(zeros([3, 4]), labels(8)).match(/ = (copy|softmaxCrossEntropy) /g)!
  expect(length).toBe(4)
})

describe('in place', () => {
  test('a state is updated where it is', () => {
    const v = variable(zeros([3]))
    const step = compile((x) => {
      v.assign(v.mul(0.9).add(x))
    })
    expect(step.program(tensor([1, 2, 3]))).toMatchInlineSnapshot(`
      "%0: float32[3] state 0
      %1: float32[] literal 0 = 0.8999999761581421
      %2: float32[3] input 0
      %3: float32[3] state 0 = elementwise { a = mul %0 %1; b = add a %2 } → b
      arena 0 bytes"
    `)
  })

  test('a step of gradient descent', () => {
    const layer = linear(4, 3, { seed: 1 })
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
    const step = compile((x, y) => optimizer.minimize(() => layer.forward(x).softmaxCrossEntropy(y).mean()))
    expect(step.program(zeros([2, 4]), labels(2))).toMatchInlineSnapshot(`
      "%0: float32[3,4] state 0
      %1: float32[3] state 1
      %2: float32[3,4] state 2
      %3: float32[3] state 3
      %4: float32[2,4] input 0
      %6: int32[2] input 1
      %10: float32[] literal 0 = 2
      %12: float32[] literal 1 = 0.5
      %15: float32[] input 2
      %5: float32[2,3] @0 = matmul %4 %0ᵀ + %1
      %7: float32[2] @64, %8: float32[2,3] @128 = softmaxCrossEntropy %5 %6 { rows: 2, columns: 3 }
      %9: float32[1] @0 = reduce %7 { kind: sum, outer: 1, reduced: 2, inner: 1 }
      %11: float32[] result 0 = elementwise { a = div %9 %10 } → a
      %13: float32[2,3] @128 = elementwise { a = mul %12 %8 } → a
      %14: float32[3,4] @0 = matmul %13ᵀ %4
      %16: float32[3,4] state 0, %17: float32[3,4] state 2 = momentum %0 %14 %2 %15 { size: 12, momentum: 0.9, nesterov: false }
      %18: float32[1,3] @0 = reduce %13 { kind: sum, outer: 1, reduced: 2, inner: 3 }
      %19: float32[3] state 1, %20: float32[3] state 3 = momentum %1 %18 %3 %15 { size: 3, momentum: 0.9, nesterov: false }
      arena 192 bytes"
    `)
  })

  test('a step of a perceptron with a hidden layer, by Adam', () => {
    const [first, second] = [linear(8, 4, { seed: 1 }), linear(4, 3, { seed: 2 })]
    const optimizer = adam()
    const step = compile((images, y) =>
      optimizer.minimize(() => {
        const hidden = first.forward(images.cast('float32').div(255)).relu()
        return second.forward(hidden).softmaxCrossEntropy(y).mean()
      }),
    )
    expect(step.program(zeros([2, 8], { dtype: 'uint8' }), labels(2))).toMatchInlineSnapshot(`
      "%0: float32[4,8] state 0
      %1: float32[4] state 1
      %2: float32[3,4] state 2
      %3: float32[3] state 3
      %4: float32[] state 4
      %5: float32[4,8] state 5
      %6: float32[4,8] state 6
      %7: float32[4] state 7
      %8: float32[4] state 8
      %9: float32[3,4] state 9
      %10: float32[3,4] state 10
      %11: float32[3] state 11
      %12: float32[3] state 12
      %13: uint8[2,8] input 0
      %14: float32[] literal 0 = 255
      %18: int32[2] input 1
      %22: float32[] literal 1 = 2
      %24: float32[] literal 2 = 0
      %25: float32[] literal 3 = 1
      %26: float32[] literal 4 = 0.5
      %31: float32[] input 2
      %15: float32[2,8] @128 = elementwise { a = cast %13 float32; b = div a %14 } → b
      %16: float32[2,4] @192 = matmul %15 %0ᵀ + %1, relu
      %17: float32[2,3] @0 = matmul %16 %2ᵀ + %3
      %19: float32[2] @64, %20: float32[2,3] @256 = softmaxCrossEntropy %17 %18 { rows: 2, columns: 3 }
      %21: float32[1] @0 = reduce %19 { kind: sum, outer: 1, reduced: 2, inner: 1 }
      %23: float32[] result 0 = elementwise { a = div %21 %22 } → a
      %27: float32[2,3] @256 = elementwise { a = mul %26 %20 } → a
      %28: float32[2,4] @320 = matmul %27 %2
      %29: float32[2,4] @320 = elementwise { a = greater %16 %24; b = where a %28 %24 } → b
      %32: float32[] state 4 = elementwise { a = add %4 %25 } → a
      %30: float32[4,8] @0 = matmul %29ᵀ %15
      %33: float32[4,8] state 0, %34: float32[4,8] state 5, %35: float32[4,8] state 6 = adam %0 %30 %5 %6 %31 %32 { size: 32, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
      %36: float32[1,4] @0 = reduce %29 { kind: sum, outer: 1, reduced: 2, inner: 4 }
      %37: float32[4] state 1, %38: float32[4] state 7, %39: float32[4] state 8 = adam %1 %36 %7 %8 %31 %32 { size: 4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
      %40: float32[3,4] @0 = matmul %27ᵀ %16
      %41: float32[3,4] state 2, %42: float32[3,4] state 9, %43: float32[3,4] state 10 = adam %2 %40 %9 %10 %31 %32 { size: 12, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
      %44: float32[1,3] @0 = reduce %27 { kind: sum, outer: 1, reduced: 2, inner: 3 }
      %45: float32[3] state 3, %46: float32[3] state 11, %47: float32[3] state 12 = adam %3 %44 %11 %12 %31 %32 { size: 3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
      arena 384 bytes"
    `)
  })

  test('the gradient of rmsNorm takes its sums in one pass over what they are of, without storing squares', () => {
    const f = compile((x, weight, ct) => gradients(rmsNorm(x, { weight }), [x, weight], ct))
    expect(f.program(zeros([3, 8]), zeros([8]), zeros([3, 8]))).toMatchInlineSnapshot(`
      "%0: float32[3,8] input 0
      %1: float32[8] input 1
      %3: float32[3,8] input 2
      %4: float32[] literal 0 = 0
      %8: float32[] literal 1 = 8
      %9: float32[] literal 2 = 1.1920928955078125e-7
      %2: float32[3,8] @0 = elementwise { a = mul %0 %1(0,1) } → a
      %5: float32[3,1] @128 = copy %4 { shape: [3,1], offset: 0, strides: [0,0] }
      %6: float32[3,1] @192, %7: float32[3,1] @256 = deviationSums %3 %5 %3 { outer: 1, channels: 3, inner: 8 }
      %10: float32[3,1] @256 = elementwise { a = div %7 %8; b = add a %9; c = rsqrt b } → c
      %11: float32[3,1] @192, %12: float32[3,1] @320 = deviationSums %3 %5 %2 { outer: 1, channels: 3, inner: 8 }
      %13: float32[3,1] @320 = elementwise { a = square %10; b = mul a %12; c = div b %8 } → c
      %14: float32[3,8] result 0 = elementwise { a = mul %3 %13(1,0); b = sub %2 a; c = mul b %10(1,0) } → c
      %15: float32[3,8] @0 = elementwise { a = mul %3 %10(1,0); b = mul a %0 } → b
      %16: float32[1,8] result 1 = reduce %15 { kind: sum, outer: 1, reduced: 3, inner: 8 }
      arena 384 bytes"
    `)
  })

  test('values of the arena follow each other in one slot', () => {
    const f = compile((x) =>
      x.add(1).sum(0, { keepDims: true }).broadcastTo([3, 16]).exp().softmax().logSoftmax().max(),
    )
    expect(f.program(randn([3, 16]))).toMatchInlineSnapshot(`
      "%0: float32[3,16] input 0
      %1: float32[] literal 0 = 1
      %2: float32[3,16] @0 = elementwise { a = add %0 %1 } → a
      %3: float32[1,16] @192 = reduce %2 { kind: sum, outer: 1, reduced: 3, inner: 16 }
      %4: float32[3,16] @0 = elementwise { a = exp %3(0,1) } → a
      %5: float32[3,16] @0 = softmax %4 { rows: 3, columns: 16 }
      %6: float32[3,16] @0 = logSoftmax %5 { rows: 3, columns: 16 }
      %7: float32[1,1] result 0 = reduce %6 { kind: max, outer: 1, reduced: 48, inner: 1 }
      arena 256 bytes"
    `)
  })
})
