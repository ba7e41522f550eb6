/** Installs the tarball in an empty project, as a user does, and trains XOR there. Arguments: the tarball. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const [given] = process.argv.slice(2)
if (given === undefined) throw new Error('install: expected a tarball, got none')
const tarball = resolve(given)
const project = mkdtempSync(join(tmpdir(), 'galvani-project-'))

const training = `
g.setSeed(1)
const x = g.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
const y = g.tensor([[0], [1], [1], [0]])
const model = g.nn.sequential(g.nn.linear(2, 16), g.nn.tanh(), g.nn.linear(16, 1))
const loss = (prediction, target) => g.losses.binaryCrossEntropy(prediction, target)
const data = g.data.fromTensors(x, y)
async function main() {
  await g.fit(model, data, { epochs: 300, batchSize: 4, loss, optimizer: g.optim.adam({ learningRate: 0.05 }) })
  const found = Array.from(await model.forward(x).greater(0).data())
  const { backend } = g.backendInfo()
  if (found.join() !== '0,1,1,0' || backend !== 'native') throw new Error(\`\${found} on \${backend}\`)
}
main()
`

const inProject = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] })
try {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  inProject('npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error', tarball)
  writeFileSync(join(project, 'xor.mjs'), `import * as g from 'galvani'\n${training}`)
  writeFileSync(join(project, 'xor.cjs'), `const g = require('galvani')\n${training}`)
  for (const file of ['xor.mjs', 'xor.cjs']) inProject('node', file)
} finally {
  rmSync(project, { recursive: true, force: true })
}
