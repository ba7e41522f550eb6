/** The check of a list of layers before it is known what they are given: each is made once. */
import { isPlainObject } from '../../base/options.ts'
import { argumentsOf, type Call, callByName, type Infer, isCall } from './calls.ts'
import { type Check, fault, keyIn } from './diagnostics.ts'
import { layers } from './layers.ts'

/** An extent that most groups and heads divide, for what follows from data. Nothing is computed of it. */
const extent = 5040

const anything: Infer = () => extent

/** What layers consist of that hold others, by the key of a list. */
const nested: Readonly<Record<string, readonly string[]>> = { sequential: ['layers'], residual: ['inner', 'shortcut'] }

/** Whether a call is of a layer that holds others. */
export const isNested = (call: Call): call is Exclude<Call, string> =>
  typeof call !== 'string' && Object.hasOwn(nested, call.type)

export const checkLayers: Check = (value, key, faults) => {
  if (!Array.isArray(value)) return void faults.push(fault(key, 'a list of layers', value))
  if (value.length === 0) return void faults.push({ key, message: 'expected at least one layer, got none' })
  for (const [i, layer] of value.entries()) checkLayer(layer, `${key}[${i}]`, faults)
}

const checkLayer: Check = (value, key, faults) => {
  if (!isCall(layers, 'layer', value, key, faults)) return
  if (isNested(value)) checkNested(value, key, faults)
  else callByName(layers, value, key, faults, anything)
}

const checkNested: Check = (value, key, faults) => {
  const { type, given } = argumentsOf(value as Call)
  const lists = nested[type]!
  for (const [name, item] of Object.entries(given)) {
    if (lists.includes(name)) checkLayers(item, keyIn(key, name), faults)
    else faults.push({ key: keyIn(key, name), message: `unknown key; there are ${lists.join(', ')}` })
  }
  if (!isPlainObject(value) || given[lists[0]!] === undefined)
    faults.push({ key: keyIn(key, lists[0]!), message: 'is missing' })
}
