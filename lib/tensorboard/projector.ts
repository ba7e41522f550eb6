/** What TensorBoard's projector reads beside the event files: vectors, what they are called, and their images. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { writeAtomically } from '../files/atomic.ts'
import { fileError } from '../files/file-error.ts'

/** One entry of the file that says which vectors there are. */
export interface EmbeddingEntry {
  readonly name: string
  readonly shape: readonly [rows: number, columns: number]
  readonly hasLabels: boolean
  /** The size of one image on the sheet. */
  readonly sprite?: { readonly width: number; readonly height: number }
}

const file = (name: string, path: string): string => JSON.stringify(`${folderOf(name)}/${path}`)

/** The folder of an embedding in that of the run. */
export const folderOf = (name: string): string => `projector-${name.replaceAll(/[^\w.-]/g, '_')}`

function entryText({ name, shape, hasLabels, sprite }: EmbeddingEntry): string {
  const lines = [
    `  tensor_name: ${JSON.stringify(name)}`,
    ...shape.map((size) => `  tensor_shape: ${size}`),
    `  tensor_path: ${file(name, 'tensors.tsv')}`,
    ...(hasLabels ? [`  metadata_path: ${file(name, 'metadata.tsv')}`] : []),
  ]
  if (sprite !== undefined) {
    const sizes = [sprite.width, sprite.height].map((size) => `    single_image_dim: ${size}`)
    lines.push('  sprite {', `    image_path: ${file(name, 'sprite.png')}`, ...sizes, '  }')
  }
  return `embeddings {\n${lines.join('\n')}\n}\n`
}

/** The text form of a message of TensorBoard's, ProjectorConfig. */
export const configText = (entries: readonly EmbeddingEntry[]): string => entries.map(entryText).join('')

/** So many numbers become text before the event loop turns. */
const numbersPerTurn = 1 << 15

/** A row on each line, with tabs between its numbers. */
export async function* rowsText(data: ArrayLike<number>, rows: number, columns: number): AsyncGenerator<Buffer> {
  const rowsPerTurn = Math.max(1, Math.floor(numbersPerTurn / columns))
  for (let first = 0; first < rows; first += rowsPerTurn) {
    const lines: string[] = []
    for (let i = first; i < Math.min(rows, first + rowsPerTurn); i++)
      lines.push(`${Array.from({ length: columns }, (_, j) => data[i * columns + j]).join('\t')}\n`)
    yield Buffer.from(lines.join(''))
    await setImmediate()
  }
}

/** One column of labels has no head; several have their names. */
export function metadataText(columns: Readonly<Record<string, readonly unknown[]>> | readonly unknown[]): string {
  const cell = (value: unknown) => String(value).replaceAll(/[\t\r\n]/g, ' ')
  if (Array.isArray(columns)) return columns.map((value) => `${cell(value)}\n`).join('')
  const [names, lists] = [Object.keys(columns), Object.values(columns) as (readonly unknown[])[]]
  const rows = Array.from(lists[0] ?? [], (_, i) => lists.map((list) => list[i]))
  // One column alone would be read as labels without a head.
  const heads = names.length === 1 ? [] : [names]
  return [...heads, ...rows].map((row) => `${row.map(cell).join('\t')}\n`).join('')
}

async function* alone(bytes: Uint8Array) {
  yield bytes
}

/** Writes files in the folder of a run, which is made where there is none. */
export async function writeFiles(
  op: string,
  folder: string,
  files: Readonly<Record<string, Uint8Array | AsyncIterable<Uint8Array>>>,
): Promise<void> {
  for (const [name, chunks] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true }).catch((error) => {
      throw fileError(op, 'write', path, error)
    })
    await writeAtomically(op, path, chunks instanceof Uint8Array ? alone(chunks) : chunks)
  }
}
