/** The documents list what there is: every layer, every operation. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { layerFamilies, operationNames } from '../../lib/keras/layers/index.ts'
import { graphOps } from '../../lib/tfjs/graph-ops.ts'

const namesIn = (document: string): Set<string> => {
  const text = readFileSync(new URL(`../../docs/${document}`, import.meta.url), 'utf8').replaceAll(
    /```[\s\S]*?```/g,
    '',
  )
  return new Set([...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
}

describe('the documents list', () => {
  const [keras, tfjs] = [namesIn('keras.md'), namesIn('tfjs.md')]
  const layers = Object.values(layerFamilies).flatMap((family) => Object.keys(family))

  test(`${layers.length} layers`, () => expect(layers.filter((name) => !keras.has(name))).toEqual([]))

  test(`${operationNames.length} operations of Keras`, () =>
    expect(operationNames.filter((name) => !keras.has(name))).toEqual([]))

  test(`${Object.keys(graphOps).length} operations of graphs`, () =>
    expect(Object.keys(graphOps).filter((name) => !tfjs.has(name))).toEqual([]))
})
