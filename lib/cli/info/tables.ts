/** Files of data: what their columns hold; folders of images: how many of each class. */
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { TableConfig } from '../config/schema.ts'
import { typeOfFile } from '../config/schema.ts'
import { readTable } from '../data/tables.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { countText, tableOf } from '../text-table.ts'
import type { Info } from './info.ts'

/** More different texts are not counted apart. */
const mostKinds = 1000

class ColumnFacts {
  #count = 0
  #missing = 0
  #numbers = 0
  #sum = 0
  #least = Infinity
  #greatest = -Infinity
  readonly #kinds = new Map<string, number>()

  see(value: unknown): void {
    this.#count++
    if (value === null || value === undefined) this.#missing++
    else if (typeof value === 'number') {
      this.#numbers++
      this.#sum += value
      this.#least = Math.min(this.#least, value)
      this.#greatest = Math.max(this.#greatest, value)
    } else {
      const text = typeof value === 'object' ? 'a list' : String(value)
      if (this.#kinds.size < mostKinds || this.#kinds.has(text)) this.#kinds.set(text, (this.#kinds.get(text) ?? 0) + 1)
    }
  }

  get json() {
    const missing = this.#missing
    if (this.#numbers === this.#count - missing && this.#numbers > 0)
      return { type: 'number', missing, least: this.#least, mean: this.#sum / this.#numbers, greatest: this.#greatest }
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b - a)
    return { type: 'text', missing, kinds: kinds.length, most: Object.fromEntries(kinds.slice(0, 10)) }
  }
}

export async function tableInfo(path: string): Promise<Info> {
  const type = typeOfFile(path) as TableConfig['type']
  const columns = new Map<string, ColumnFacts>()
  let rows = 0
  for await (const row of readTable({ type, path, target: '' }, path)) {
    rows++
    for (const [name, value] of Object.entries(row)) {
      if (!columns.has(name)) columns.set(name, new ColumnFacts())
      columns.get(name)!.see(value)
    }
  }
  const facts = [...columns].map(([name, column]) => ({ name, ...column.json }))
  const digits = (x: number) => String(Number(x.toPrecision(5)))
  const cells = facts.map((fact) => {
    const what =
      fact.type === 'number'
        ? `${digits(fact.least!)} to ${digits(fact.greatest!)}, mean ${digits(fact.mean!)}`
        : `${fact.kinds} different: ${Object.keys(fact.most!).slice(0, 4).join(', ')}${fact.kinds! > 4 ? ', …' : ''}`
    return [fact.name, fact.type, countText(fact.missing), what]
  })
  return {
    lines: [
      `${type}: ${countText(rows)} rows, ${facts.length} columns`,
      ...tableOf(['column', 'type', 'missing', 'values'], cells),
    ],
    json: { kind: type, rows, columns: facts },
  }
}

const images = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i

export async function imageFolderInfo(path: string): Promise<Info> {
  const entries = await readdir(path, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  const classes = await Promise.all(
    folders.sort().map(async (name) => ({
      name,
      images: (await readdir(join(path, name))).filter((file) => images.test(extname(file))).length,
    })),
  )
  const total = classes.reduce((sum, each) => sum + each.images, 0)
  if (total === 0)
    throw new CommandError(`expected a run, a model or a folder of images by class, got ${path}`, {
      code: exitCodes.usage,
    })
  return {
    lines: [
      `imageFolder: ${countText(total)} images of ${classes.length} classes`,
      ...tableOf(
        ['class', 'images'],
        classes.map(({ name, images }) => [name, countText(images)]),
      ),
    ],
    json: { kind: 'imageFolder', images: total, classes },
  }
}
