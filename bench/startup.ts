/** What it costs to start: the time and memory of an import above Node alone, and until a first result is there. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { printTable } from './harness.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const rounds = 21

const programs = {
  'Node alone, ES module': ['module', ''],
  import: ['module', "import * as g from 'galvani'"],
  'Node alone, CommonJS': ['commonjs', ''],
  require: ['commonjs', "const g = require('galvani')"],
  'require, first result': ['commonjs', "require('galvani').tensor([1, 2]).add(1).dataSync()"],
  'require, first training step': [
    'commonjs',
    `const g = require('galvani')
    const [model, optimizer] = [g.nn.linear(2, 1), g.optim.sgd({ learningRate: 0.1 })]
    const step = g.compile((x) => optimizer.minimize(() => model.forward(x).square().mean()))
    step.sync(g.ones([4, 2]))`,
  ],
} as const

type Name = keyof typeof programs
type Figure = 'time' | 'cpu' | 'rss'
type Run = Record<Figure, number>

const names = Object.keys(programs) as Name[]

/** Milliseconds from the process's start to the end of the program, those of its processors, and MB then. */
function runOf([type, program]: (typeof programs)[Name]): Run {
  const report = `
    const { user, system } = process.cpuUsage()
    const [time, cpu, rss] = [performance.now(), (user + system) / 1e3, process.memoryUsage.rss() / 2 ** 20]
    console.log(JSON.stringify({ time, cpu, rss }))`
  const args = [`--input-type=${type}`, '--eval', `${program}\n${report}`]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

/** Of the package as it was built. All programs run in turn, as a machine's speed changes. */
export async function benchStartup(): Promise<void> {
  const runs = Array.from({ length: rounds }, () => new Map(names.map((name) => [name, runOf(programs[name])])))
  const of = (name: Name, figure: Figure) => median(runs.map((round) => round.get(name)![figure]))
  const rows = names.map((name) => {
    const bare = programs[name][0] === 'module' ? 'Node alone, ES module' : 'Node alone, CommonJS'
    const above = (figure: Figure) => of(name, figure) - of(bare, figure)
    return {
      program: name,
      'above Node, ms': above('time'),
      'of processors, ms': above('cpu'),
      'above Node, MB': above('rss'),
      'RSS, MB': of(name, 'rss'),
    }
  })
  const bare = of('Node alone, CommonJS', 'time')
  printTable(`Start: medians of ${rounds} runs in turn; Node alone takes ${bare.toFixed(0)} ms`, rows)
}
