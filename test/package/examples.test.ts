/** The examples, in small. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('train-mnist trains an epoch on MNIST and reports on it', { timeout: 120_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/train-mnist.ts', '--epochs', '1', '--seed', '1'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  const [, percent] = /test accuracy ([\d.]+)%/.exec(output) ?? []
  expect(Number(percent), output).toBeGreaterThan(93)
})

test('dqn learns to keep a pole up for a while', { timeout: 300_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/dqn.ts', '--episodes', '300', '--goal', '60'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  // Pushes at random keep it up for some 20 steps.
  const [, steps] = /solved after \d+ episodes \(mean of the last 100 ([\d.]+) steps\)/.exec(output) ?? []
  expect(Number(steps), output).toBeGreaterThanOrEqual(60)
})

test('tabular stops early, and its best model is as good in another process', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-tabular-'))
  try {
    const path = join(folder, 'model.safetensors')
    const output = execFileSync('npx', ['tsx', 'examples/tabular.ts', '--model', path], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    })
    const [, epochs] = /stopped after (\d+) epochs/.exec(output) ?? []
    expect(Number(epochs), output).toBeLessThan(60)
    const [, area] = /test AUC ([\d.]+) of \d+ rows, in another process/.exec(output) ?? []
    expect(Number(area), output).toBeGreaterThan(0.79)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const fashionMnist = { meta: { install: 'apt-get install dataset-fashion-mnist' }, timeout: 300_000 }

test.skipIf(!existsSync('/usr/share/datasets/fashion-mnist'))(
  'fashion-cnn shows what it takes for what',
  fashionMnist,
  () => {
    const small = ['--epochs', '2', '--rows', '6000', '--channels', '6']
    const output = execFileSync('npx', ['tsx', 'examples/fashion-cnn.ts', ...small], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    })
    const [, percent] = /test accuracy +([\d.]+)%/.exec(output.slice(output.indexOf('parameters'))) ?? []
    expect(Number(percent), output).toBeGreaterThan(70)
    const rows = [...output.matchAll(/^ *[A-Za-z-]+((?: +\d+){10})$/gm)].map(([, row]) =>
      row!.trim().split(/ +/).map(Number),
    )
    expect(rows).toHaveLength(10)
    const right = rows.reduce((sum, row, i) => sum + row[i]!, 0)
    expect(right / 10).toBeCloseTo(Number(percent), 1)
    expect(rows.flat().reduce((sum, x) => sum + x, 0)).toBe(1000)
  },
)
test('char-gpt learns letters from a text, and writes some', { timeout: 300_000 }, () => {
  const small = '--steps 200 --layers 1 --features 32 --context 32 --batch-size 8 --tokens 50'.split(' ')
  const output = execFileSync('npx', ['tsx', 'examples/char-gpt.ts', ...small], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  // By chance it is ln 91, 4.5; by how often each letter is there 3.2.
  const [, loss] = /step 200: loss [\d.]+, validation ([\d.]+)/.exec(output) ?? []
  expect(Number(loss), output).toBeLessThan(3.1)
  expect(output).toMatch(/\* Returns [\s\S]{40,}ms for a character/)
})

test('char-lstm learns letters from a text, and writes some', { timeout: 300_000 }, () => {
  const small = '--steps 200 --features 48 --length 32 --batch-size 16 --tokens 50'.split(' ')
  const output = execFileSync('npx', ['tsx', 'examples/char-lstm.ts', ...small], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  // By chance and by how often each letter is there: see char-gpt.
  const [, loss] = /step 200: loss [\d.]+, validation ([\d.]+)/.exec(output) ?? []
  expect(Number(loss), output).toBeLessThan(2.9)
  expect(output).toMatch(/\* Returns [\s\S]{40,}ms for a character/)
})

test('vae learns what digits are made of, and draws some', { timeout: 300_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/vae.ts', '--images', '4000', '--epochs', '2'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  // Half of the ink everywhere is 784 ln 2, 543 nats.
  const [, nats] = /epoch 2: [\d.]+ nats, ([\d.]+) of images/.exec(output) ?? []
  expect(Number(nats), output).toBeLessThan(230)
  expect(output).toMatch(/[:=+]{3}/)
})

test('custom-optimizer tells two spirals apart', { timeout: 120_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/custom-optimizer.ts', '--epochs', '40'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  const [, percent] = /test accuracy of the mean ([\d.]+)%/.exec(output) ?? []
  // By chance it is 50.
  expect(Number(percent), output).toBeGreaterThan(97)
})

test('resnet18 computes what PyTorch does with the same weights, and is fine-tuned', { timeout: 120_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/resnet18.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  const [, values, difference] = /^(\d+) values of PyTorch, logits within (\S+) of its own$/m.exec(output) ?? []
  expect(Number(values), output).toBe(122)
  expect(Number(difference), output).toBeLessThan(1e-4)
  const [, first, last] = /a loss of ([\d.]+) became ([\d.]+)/.exec(output) ?? []
  expect(Number(last), output).toBeLessThan(Number(first) / 2)
})

test('gpt2 computes what PyTorch does with the same weights, and goes on', { timeout: 120_000 }, () => {
  const output = execFileSync('npx', ['tsx', 'examples/gpt2.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  const [, values, difference] = /^(\d+) values of PyTorch, logits within (\S+) of its own$/m.exec(output) ?? []
  expect(Number(values), output).toBe(29)
  expect(Number(difference), output).toBeLessThan(1e-4)
  expect(output).toMatch(/^it goes on:( \d+){16}$/m)
})

test('fine-tune-onnx takes over a network from a file, and writes it again', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-onnx-'))
  try {
    const [path, out] = [join(folder, 'digits.onnx'), join(folder, 'lying-digits.onnx')]
    const small = ['--rows', '4000', '--model', path, '--out', out]
    const output = execFileSync('npx', ['tsx', 'examples/fine-tune-onnx.ts', ...small], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    })
    const percent = (after: string) => Number(new RegExp(`${after} ([\\d.]+)%`).exec(output)?.[1])
    expect(percent('lying digits it knows'), output).toBeLessThan(40)
    expect(percent('trained on,'), output).toBeGreaterThan(80)
    expect(percent('read in again:')).toBe(percent('trained on,'))
    expect(output).toContain('0.weight, 0.bias, 1.weight')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
