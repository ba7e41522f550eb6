/** The examples, in small. */
import { execFileSync } from 'node:child_process'
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
