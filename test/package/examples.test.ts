/** The examples, in small. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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
