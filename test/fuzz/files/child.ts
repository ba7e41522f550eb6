import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryCases } from '../child.ts'
import { Random } from '../random.ts'
import { mutated } from './bytes.ts'
import { formats } from './formats.ts'

const folder = mkdtempSync(join(tmpdir(), 'galvani-files-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

await tryCases(async (seed, number) => {
  const random = new Random(seed, number)
  const format = random.pick(formats)
  const bytes = mutated(format.sample(random), random)
  try {
    await format.read(bytes, random, folder)
    return `read ${format.name}`
  } catch (error) {
    if (format.refuses(error)) return `refused ${format.name}`
    throw error
  }
})
