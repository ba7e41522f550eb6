/** What TensorFlow.js and TensorFlow computed: test/fixtures/make_tfjs_fixtures.mjs and make_graph_fixtures.py. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type * as g from 'galvani'
import { expect } from 'vitest'
import type * as tfjs from '../../lib/tfjs/index.ts'
import { type Case, listOf, tensorOf } from '../keras/fixtures.ts'
import { expectClose } from '../support/close.ts'

const folder = new URL('../fixtures/tfjs/', import.meta.url)

export const pathOf = (name: string, file = 'model.json'): string => fileURLToPath(new URL(`${name}/${file}`, folder))

export const expectedOf = (name: string): Pick<Case, 'inputs' | 'outputs'> =>
  JSON.parse(readFileSync(pathOf(name, 'expected.json'), 'utf8'))

type Model = Awaited<ReturnType<typeof tfjs.load<tfjs.ModelOutput>>>

export function outputsOf(model: Model, name: string): g.Tensor[] {
  const { inputs } = expectedOf(name)
  return listOf(model.forward(inputs.length === 1 ? tensorOf(inputs[0]!) : inputs.map(tensorOf)))
}

export function expectOutputs(model: Model, name: string, tolerance = 1e-5): void {
  const { outputs } = expectedOf(name)
  const results = outputsOf(model, name)
  expect(results.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
  for (const [i, { values }] of outputs.entries()) expectClose(results[i]!, values, tolerance)
}

/** TensorFlow.js, where it is installed. */
const toolbox = new URL('../../tools/testing/tfjs/', import.meta.url)
export const hasTfjs = existsSync(new URL('node_modules/.package-lock.json', toolbox))
export const installTfjs = 'npm ci --ignore-scripts --prefix tools/testing/tfjs'
export const loadTfjs = () => import(new URL('load.mjs', toolbox).href)
