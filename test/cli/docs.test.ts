/** docs/cli.md: its commands run, its configurations are right, and its options are those of `--help`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../../lib/cli/commands.ts'
import { faultsIn } from '../../lib/cli/config/schema.ts'
import { documentWithHelp } from '../../tools/cli-help.ts'
import { flowers, galvani, workFolder } from '../support/command.ts'
import { root } from '../support/root.ts'

const folder = workFolder()
const text = readFileSync(join(root, 'docs/cli.md'), 'utf8')
const blocks = (language: string) =>
  [...text.matchAll(RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code!)

const configs = blocks('json').map((code) => JSON.parse(code))

test('its configurations are right', () => {
  expect(configs.length).toBeGreaterThan(1)
  for (const config of configs) expect(faultsIn(config)).toEqual([])
})

test('its commands run, one after the other', async () => {
  folder.write('flowers.csv', flowers())
  folder.write('flowers.json', configs[0])
  const lines = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('npx galvani')))
  expect(lines.length).toBeGreaterThan(12)
  for (const line of lines) {
    const [, , ...args] = line.split('#')[0]!.trim().split(/ +/)
    const { code, errors, out } = await galvani(args, { cwd: folder.path })
    expect([line, code, code === 0 ? '' : errors]).toEqual([line, 0, ''])
    expect(out + errors).not.toMatch(/undefined|NaN/)
  }
}, 120_000)

test('it has all commands, and what --help says of them: npm run docs:cli', async () => {
  for (const name of Object.keys(commands)) expect(text).toMatch(RegExp(`\`${name}[ \`]`))
  expect(text).toBe(await documentWithHelp())
}, 30_000)
