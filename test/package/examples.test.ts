/** The example that `npm start` runs. */
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
