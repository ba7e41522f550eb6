/** Test runners of users, in which each of two test files loads the library anew. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Row, train, usual } from '../row.ts'
import { node, tool, versionOf } from '../toolbox.ts'

const row = (title: string, file: string, ...command: string[]): Row => ({
  title,
  run(setting) {
    const installation = usual(setting)
    copyFileSync(join(installation.project, file), join(installation.project, `another-${file}`))
    return train(installation, command)
  },
})

const vitest = (pool: string): Row =>
  row(
    `vitest ${versionOf('vitest')}, ${pool}`,
    'xor.test.mjs',
    ...[node('node-24'), tool('vitest/vitest.mjs'), 'run', '--globals', `--pool=${pool}`, '--silent=false', 'test.mjs'],
  )

export const testers = (): Row[] => [
  row(`Jest ${versionOf('jest')}`, 'xor.test.cjs', 'node', tool('jest/bin/jest.js'), '--testMatch', '**/*.test.cjs'),
  vitest('forks'),
  vitest('threads'),
]
