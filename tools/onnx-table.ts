/** Writes docs/onnx.md: how models are loaded, and which operators in which versions, from the rows of lib/onnx/import. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ExportName, Row } from '../lib/onnx/export/row.ts'
import { rows } from '../lib/onnx/export/rows.ts'
import { families, rowsFor } from '../lib/onnx/import/registry.ts'
import { reasons } from '../lib/onnx/import/unsupported.ts'
import { newestOpset, sinceVersions } from '../lib/onnx/versions.ts'

const path = fileURLToPath(new URL('../docs/onnx.md', import.meta.url))

const introduction = `# ONNX

\`\`\`ts
import * as g from 'galvani'
import * as onnx from 'galvani/onnx'

// Any ONNX file; here one that was written a moment ago.
const net = g.nn.sequential(g.nn.linear(4, 16), g.nn.relu(), g.nn.linear(16, 3))
await onnx.export(net, g.ones([1, 4]), 'net.onnx')

const model = await onnx.load('net.onnx') // a module: its weights are parameters under their names in the file
const logits = await model.run(g.randn([8, 4])) // off the event loop, by one program for each set of shapes
console.log(logits.shape, Object.keys(model.namedParameters())) // [ 8, 3 ] [ '0.weight', '0.bias', '2.weight', '2.bias' ]

const dataset = g.data.fromTensors(g.randn([32, 4]), g.randint([32], 0, 3))
await g.fit(model, dataset, { loss: 'crossEntropy', optimizer: g.optim.adam({ learningRate: 1e-3 }), epochs: 2 })
\`\`\`

\`model.forward\` takes tensors by the names of the inputs, or the tensor where there is one input, and gives tensors by the names of the
outputs, or the tensor where there is one. It is recorded like any other function: in \`compile\`, \`grad\` and \`fit\` it becomes part of what they
record. \`model.inputs\` and \`model.outputs\` say names, dtypes and shapes. IR versions 3 to 14 are read, and opsets 7 to ${newestOpset} of the main domain; of
earlier opsets, the versions of operators that the tables below name.

- **Weights.** Float initializers are variables. \`load(path, { trainable })\` says which are parameters: all of them, none with \`false\`, or by a
  function of the name. The others, and running means and variances, are buffers. Integers stay constants, and so do numbers that say how
  an operator works (scales of a Resize, bounds of a Clip).
- **Files beside the model** are read where they are in its folder and no links. A model in memory is given them by name:
  \`load(bytes, { externalData: { 'model.onnx.data': bytes } })\`.
- **Types.** int64, int8 and the other integers but uint8 are int32 in tensors, double, float16 and bfloat16 are float32; \`doubles: 'float64'\` keeps
  doubles, on the reference backend. An int64 beyond int32 is an error where a tensor needs it.
- **Shapes** are computed on the host, exactly, and nothing of them is in a program. Where a shape depends on data (NonZero, Compress, Unique,
  NonMaxSuppression, a Reshape by what was computed), \`forward\` evaluates what it depends on; inside \`compile\` that is an error.
  \`run\` evaluates too, and takes the path that an integer among the inputs chooses, such as a sampling rate.
- **If** takes the branch of a condition that is known; one that is computed is evaluated, or inside \`compile\` chosen in the program, without gradients.
  **Loop** is recorded step by step, **Scan** is \`scan\`.
- **Functions** of the model are expanded.
- **What is not supported** is one error at load, with all operators and the nodes they stand in.

[onnx-export.md](onnx-export.md) has the other direction: \`onnx.export\` writes modules and functions.
`

/** Which since-versions have a row, of those that there are. */
function lineOf(domain: string, name: string): string {
  const known = rowsFor(domain, name).flatMap(({ since }) => since)
  return `| ${name} | ${known.toSorted((a, b) => a - b).join(', ')} |`
}

export function operatorTable(): string {
  const sections = Object.keys(families).map((domain) => {
    const names = families[domain]!.flatMap((family) => Object.keys(family)).toSorted()
    const title = domain === '' ? 'The main domain' : `\`${domain}\``
    return `\n## Operators: ${title}\n\n| operator | versions |\n| --- | --- |\n${names.map((name) => lineOf(domain, name)).join('\n')}\n`
  })
  const lacking = Object.keys(sinceVersions['']!).filter((name) => rowsFor('', name).length === 0)
  const lines = lacking.map((name) => `| ${name} | ${reasons[name] ?? 'not supported yet'} |`)
  const unsupported = `\n## Operators that are not supported\n\n| operator | reason |\n| --- | --- |\n${lines.join('\n')}\n`
  return introduction + sections.join('') + unsupported + notExported()
}

/** The operations of the library that have no row in the export, with the reason. */
function notExported(): string {
  const lines = Object.entries<Row<ExportName>>(rows).flatMap(([name, row]) =>
    'unsupported' in row && !isInside.has(name) ? [`| ${name} | ${row.unsupported} |`] : [],
  )
  return `\n## Operations that are not exported\n\nOf the operations that a graph consists of, which \`tensor.graph()\` shows.\n\n| operation | reason |\n| --- | --- |\n${lines.join('\n')}\n`
}

/** Nobody meets these in a graph that is exported. */
const isInside: ReadonlySet<string> = new Set(['placeholder', 'partCotangents', 'output'])

export const writtenTable = (): string => readFileSync(path, 'utf8')

if (import.meta.url === pathToFileURL(process.argv[1]!).href) writeFileSync(path, operatorTable())
