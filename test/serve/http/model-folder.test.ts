/** What becomes of a folder of models while it is served: what is there is looked at, whatever else stands in its place meanwhile. */
import { cp, mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ModelChange, ModelFolder } from '../../../lib/serve/http/model-folder.ts'

/** Of which paths nothing can be read at the moment. */
const unreadable = vi.hoisted(() => ({ ending: undefined as string | undefined, asked: 0 }))

vi.mock('node:fs/promises', async (original) => {
  const all = await original<typeof import('node:fs/promises')>()
  const refuse = (path: unknown) => {
    if (unreadable.ending === undefined || !String(path).endsWith(unreadable.ending)) return
    unreadable.asked++
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  }
  return {
    ...all,
    readdir: async (...args: Parameters<typeof all.readdir>) => {
      refuse(args[0])
      return all.readdir(...args)
    },
    stat: async (...args: Parameters<typeof all.stat>) => {
      refuse(args[0])
      return all.stat(...args)
    },
  }
})

let folder: string
let models: ModelFolder | undefined
let changes: string[]
let onChange: (change: ModelChange) => void

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-models-'))
  changes = []
  onChange = ({ change, model, version }) => changes.push(`${change} ${model} ${version}`)
})

afterEach(async () => {
  unreadable.ending = undefined
  await models?.close()
  models = undefined
  await rm(folder, { recursive: true })
})

async function open(): Promise<ModelFolder> {
  models = await new ModelFolder(folder, 1, 10, (change) => onChange(change)).open()
  return models
}

/** A model that multiplies by a number of one digit, so that the files of all of them are of one size. */
async function put(path: string, factor: number): Promise<string> {
  const version = join(folder, path)
  await mkdir(version, { recursive: true })
  await writeFile(
    join(version, 'model.mjs'),
    `export default { forward: (x) => x.mul(${factor}), parameters: () => [] }
    export const serving = { inputShape: [1], maxBatch: 1 }`,
  )
  return version
}

const waitFor = (check: () => boolean) => vi.waitFor(() => expect(check()).toBe(true), { timeout: 20_000, interval: 5 })

const told = (change: string) => waitFor(() => changes.includes(change))

async function answerOf(model: string, version: string): Promise<number> {
  const [answer] = (await models!.models[model]![version]!.predict([1])) as Float32Array
  return answer!
}

test.each(['__proto__', 'constructor'])('a model may be called %s', async (name) => {
  await put(`${name}/1`, 3)
  await open()
  expect(Object.keys(models!.models)).toEqual([name])
  expect(await answerOf(name, '1')).toBe(3)
  await rm(join(folder, name), { recursive: true })
  await told(`unloaded ${name} 1`)
  expect(Object.keys(models!.models)).toEqual([])
})

test('models and versions may be links, and are looked at again when they lead elsewhere', async () => {
  const [first, second] = [await put('.kept/first/1', 3), await put('.kept/second/1', 5)]
  const { atime, mtime } = await stat(join(first, 'model.mjs'))
  await utimes(join(second, 'model.mjs'), atime, mtime)
  await mkdir(join(folder, 'direct'))
  await symlink(first, join(folder, 'direct', '1'))
  await symlink(join(folder, '.kept/first'), join(folder, 'linked'))
  await symlink(join(folder, 'nowhere'), join(folder, 'broken'))
  await symlink(join(folder, 'circle'), join(folder, 'circle'))
  await open()
  expect(changes.toSorted()).toEqual(['loaded direct 1', 'loaded linked 1'])
  changes = []
  await symlink(second, join(folder, 'direct', '.next'))
  await rename(join(folder, 'direct', '.next'), join(folder, 'direct', '1'))
  await told('loaded direct 1')
  expect(await answerOf('direct', '1')).toBe(5)
  expect(await answerOf('linked', '1')).toBe(3)
})

test('a version that becomes a file is taken away, and is there again as a folder', async () => {
  const version = await put('times/1', 3)
  await open()
  await rename(version, join(folder, '.aside'))
  await writeFile(version, 'a file')
  await told('unloaded times 1')
  changes = []
  await rm(version)
  await rename(join(folder, '.aside'), version)
  await told('loaded times 1')
  expect(await answerOf('times', '1')).toBe(3)
})

test('a version under another number is another version', async () => {
  await put('times/1', 3)
  await open()
  await rename(join(folder, 'times/1'), join(folder, 'times/2'))
  await told('unloaded times 1')
  expect(changes).toEqual(['loaded times 1', 'loaded times 2', 'unloaded times 1'])
})

test('one that is copied slowly is served once it is whole, and the old one until then', async () => {
  await put('times/1', 3)
  await open()
  const made = await put('.made', 5)
  await mkdir(join(folder, 'times/2'))
  await writeFile(join(folder, 'times/2/model.mjs'), 'export default { forward: (x) => x.mul(')
  await told('refused times 2')
  expect(await answerOf('times', '1')).toBe(3)
  await cp(made, join(folder, 'times/2'), { recursive: true })
  await told('unloaded times 1')
  expect(await answerOf('times', '2')).toBe(5)
})

test('what was refused is tried again when it comes back as it was', async () => {
  await put('times/1', 3)
  const broken = join(folder, 'times/2')
  await mkdir(broken)
  await open()
  expect(changes).toEqual(['refused times 2'])
  await rename(broken, join(folder, '.aside'))
  await told('loaded times 1')
  changes = []
  await rename(join(folder, '.aside'), broken)
  await told('refused times 2')
})

test.each(['times', 'times/2', 'times/2/model.mjs', ''])(
  'nothing is taken away while %j cannot be read',
  async (ending) => {
    await put('times/2', 3)
    await open()
    unreadable.asked = 0
    unreadable.ending = ending === '' ? folder : join(folder, ending)
    await waitFor(() => unreadable.asked > 3)
    unreadable.ending = undefined
    await put('other/1', 5)
    await told('loaded other 1')
    expect(changes).toEqual(['loaded times 2', 'loaded other 1'])
  },
)

test('an onChange that throws is a warning, and stops nothing', async () => {
  const warnings: string[] = []
  const listen = ({ message }: Error) => void warnings.push(message)
  process.on('warning', listen)
  try {
    await put('times/1', 3)
    onChange = ({ change, version }) => {
      changes.push(`${change} ${version}`)
      throw new Error(`of ${change}`)
    }
    await open()
    const old = models!.models.times!['1']!
    await put('times/1', 5)
    await waitFor(() => models!.models.times!['1'] !== old)
    await waitFor(() => !old.ready)
    expect(changes).toEqual(['loaded 1', 'loaded 1'])
    await vi.waitFor(() => expect(warnings).toEqual(['of loaded', 'of loaded']), { timeout: 20_000 })
  } finally {
    process.off('warning', listen)
  }
})
