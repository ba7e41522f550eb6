/** Every layer that has a counterpart gives what Keras gives. */
import { describe, expect, test } from 'vitest'
import { layerFamilies } from '../../lib/keras/layers/index.ts'
import { expectClose } from '../support/close.ts'
import { type Case, fixture, forward, modelOf } from './fixtures.ts'

const cases = fixture<Record<string, Case>>('layers')

describe('a layer gives what Keras gives', () => {
  test.each(Object.entries(cases))('%s', (_, { config, weights, inputs, outputs }) => {
    const results = forward(modelOf(config, weights), inputs)
    expect(results.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape))
    for (const [i, { values }] of outputs.entries()) expectClose(results[i]!, values, 5e-6)
  })
})

/** Classes in a config, however deep. */
const classesIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, part]) => (key === 'class_name' ? [String(part)] : classesIn(part)))

test('every class of layers has a case, but for one that Keras 3 has no more', () => {
  const tried = new Set(Object.values(cases).flatMap(({ config }) => classesIn(config)))
  const classes = Object.values(layerFamilies).flatMap((family) => Object.keys(family))
  expect(classes.filter((name) => !tried.has(name))).toEqual(['ThresholdedReLU'])
})
