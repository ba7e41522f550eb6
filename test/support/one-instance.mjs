/**
 * Loads the built package twice, by `import` and by `require`, in a thread of its own where `--worker` says so, and
 * prints for each claim about the two whether it holds. The first argument says which way comes first.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isMainThread, Worker } from 'node:worker_threads'

const require = createRequire(import.meta.url)
const [first, place] = process.argv.slice(2)

async function check() {
  const results = {}
  for (const entry of entries()) {
    const { imported, required } = await load(entry)
    results[`${entry}: both have the same exports`] = haveSameExports(imported, required)
  }
  const { imported, required } = await load('galvani')
  const [a, b] = first === 'import' ? [imported, required] : [required, imported]
  for (const [claim, holds] of Object.entries(claims)) {
    results[`${claim}, first to second`] = await outcome(holds, a, b)
    results[`${claim}, second to first`] = await outcome(holds, b, a)
  }
  return results
}

/** What the package can be loaded as: its name, and each subpath. */
function entries() {
  const { name, exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace('.', name))
}

/** What both ways of loading give, in the order of the first argument. */
async function load(entry) {
  if (first === 'import') return { imported: await import(entry), required: require(entry) }
  const required = require(entry)
  return { required, imported: await import(entry) }
}

function haveSameExports(imported, required) {
  const names = Object.keys(required).sort()
  return names.join() === Object.keys(imported).sort().join() && names.every((key) => imported[key] === required[key])
}

async function outcome(holds, a, b) {
  try {
    return await holds(a, b)
  } catch (error) {
    return String(error)
  }
}

/** What holds of `a` and `b` where they are one instance of the library. */
const claims = {
  'a tensor is an instance of the other Tensor': (a, b) =>
    a.tensor([1]) instanceof b.Tensor && a.tensor([1]).add(1) instanceof b.Tensor,

  'an error is an instance of the other class': (a, b) => {
    try {
      a.zeros([2]).reshape([3])
    } catch (error) {
      return error instanceof b.ShapeError
    }
  },

  'setSeed begins the stream of the other': (a, b) => {
    a.setSeed(7)
    const values = [a, a].map((g) => g.randn([4]).dataSync().join())
    a.setSeed(7)
    return [b, a].map((g) => g.randn([4]).dataSync().join()).join(';') === values.join(';')
  },

  'setBackend sets the backend of the other': (a, b) => {
    const { backend } = b.backendInfo()
    a.setBackend('reference')
    const seen = b.backendInfo().backend
    a.setBackend(backend)
    return seen === 'reference' && b.backendInfo().backend === backend
  },

  'a compiled function updates a variable of the other': async (a, b) => {
    const count = a.variable([1, 2])
    const step = b.compile((x) => count.assign(a.add(count, x).mul(b.tensor([2, 2]))))
    step.sync(a.tensor([1, 1]))
    await step(b.tensor([0, 0]))
    return count.value.dataSync().join() === '8,12'
  },

  'gradients pass through operations of the other': (a, b) => {
    const slope = a.grad((x) => b.mul(x, a.square(x)))
    return slope(b.tensor(2)).itemSync() === 12
  },

  'fit trains a module of the other': async (a, b) => {
    const model = a.nn.sequential(a.nn.linear(2, 1))
    const before = model.parameters()[0].value.dataSync()
    const x = a.ones([2, 2])
    const options = { epochs: 1, batchSize: 2, loss: a.losses.meanSquaredError, optimizer: b.optim.adam() }
    await b.fit(model, a.data.fromTensors(x, b.ones([2, 1])), options)
    const after = model.parameters()[0].value.dataSync()
    return model instanceof b.nn.Module && after.every((value, i) => value !== before[i])
  },

  'an anomaly found by the other names the line of its user': (a, b) => {
    try {
      b.detectAnomaly(() => a.log(b.tensor([-1])).dataSync())
    } catch (error) {
      return error instanceof a.AnomalyError && error.message.includes('one-instance.mjs')
    }
  },
}

if (isMainThread && place === '--worker') new Worker(new URL(import.meta.url), { argv: [first] })
else console.log(JSON.stringify(await check()))
