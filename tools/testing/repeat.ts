/**
 * repeat.ts MINUTES COMMAND...: runs a command again and again, each time under another seed (GALVANI_TEST_SEED), until the
 * minutes are over or it fails. Prints each seed, and of a run that failed all output.
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'

const [minutes, file, ...args] = process.argv.slice(2)
const end = performance.now() + 60_000 * Number(minutes)
do {
  const seed = String(randomInt(2 ** 31))
  const { status, stdout, stderr } = spawnSync(file!, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, GALVANI_TEST_SEED: seed },
  })
  console.log(`GALVANI_TEST_SEED=${seed}: ${status === 0 ? 'passed' : 'failed'}`)
  if (status !== 0) {
    console.log(`${stdout}${stderr}`)
    process.exit(1)
  }
} while (performance.now() < end)
