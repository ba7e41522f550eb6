/** Runs stages, several at a time, leaves out those whose tools are missing, and counts what passed, failed and was skipped. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A program or library outside of node_modules. */
export interface Tool {
  /** The Debian package that brings it, or what else `installer` is given. */
  readonly package: string
  /** A command, `apt-get install` unless given. */
  readonly installer?: string
  readonly isHere: () => boolean
}

/** A stage or test that was left out, and the command that brings what it needs. */
export interface Skip {
  readonly title: string
  readonly install?: string
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skips: readonly Skip[]
}

export interface Stage {
  readonly title: string
  readonly command: readonly [file: string, ...args: string[]]
  /** Titles of stages that end before it begins. It needs their tools too. */
  readonly after?: readonly string[]
  readonly needs?: readonly Tool[]
  /** No other stage runs beside it, as it looks at the clock. */
  readonly alone?: boolean
  /** What it counts as: by default as one, passed where the exit code is 0. */
  readonly count?: (exitCode: number | null, output: string) => Counts
}

/** All counts of a run, and the titles of the stages with failures. */
export interface Summary extends Counts {
  readonly failures: readonly string[]
}

export interface RunOptions {
  /** How many stages run at once. */
  readonly lanes: number
  /** Told of each stage when it has ended. */
  readonly onEnd?: (stage: Stage, counts: Counts, output: string, seconds: number) => void
}

export const countAsOne = (exitCode: number | null): Counts => ({
  passed: exitCode === 0 ? 1 : 0,
  failed: exitCode === 0 ? 0 : 1,
  skips: [],
})

/** The exit code of a command, null where it did not start or was killed, and all that it printed. */
function run([file, ...args]: Stage['command']): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.on('error', (error) => {
      output += `${error.message}\n`
    })
    child.on('close', (exitCode) => resolve({ exitCode: exitCode === null || exitCode < 0 ? null : exitCode, output }))
  })
}

/** By the titles of stages, the tools that are missing for them and for the stages before them. */
function missingTools(stages: readonly Stage[]): Map<string, Set<Tool>> {
  const missing = new Map<string, Set<Tool>>()
  for (const { title, needs = [], after = [] } of stages) {
    const own = needs.filter((tool) => !tool.isHere())
    missing.set(title, new Set([...own, ...after.flatMap((other) => [...missing.get(other)!])]))
  }
  return missing
}

/** One command for each installer. */
function commandFor(tools: Iterable<Tool>): string {
  const packages = new Map<string, Set<string>>()
  for (const { package: name, installer = 'apt-get install' } of tools)
    packages.set(installer, new Set([...(packages.get(installer) ?? []), name]))
  return [...packages].map(([installer, names]) => [installer, ...names].join(' ')).join(' && ')
}

/** The stages that have their tools, and a skip for each that has not. */
function divide(stages: readonly Stage[]): { present: Stage[]; skips: Skip[] } {
  const missing = missingTools(stages)
  const isPresent = ({ title }: Stage) => missing.get(title)!.size === 0
  const absent = stages.filter((stage) => !isPresent(stage))
  const skips = absent.map(({ title }) => ({ title, install: commandFor(missing.get(title)!) }))
  return { present: stages.filter(isPresent), skips }
}

/** Runs each stage once those before it have ended, in the order of the list otherwise. A stage names earlier ones only. */
export async function runStages(stages: readonly Stage[], { lanes, onEnd }: RunOptions): Promise<Summary> {
  const { present: waiting, skips } = divide(stages)
  const failures: string[] = []
  const summary = { passed: 0, failed: 0, skips, failures }
  const running = new Map<Stage, Promise<void>>()
  const isPending = (title: string) => [...waiting, ...running.keys()].some((stage) => stage.title === title)
  const isReady = ({ after = [], alone = false }: Stage) => !after.some(isPending) && (!alone || running.size === 0)

  async function runOne(stage: Stage): Promise<void> {
    const start = performance.now()
    const { exitCode, output } = await run(stage.command)
    const counts = (stage.count ?? countAsOne)(exitCode, output)
    summary.passed += counts.passed
    summary.failed += counts.failed
    skips.push(...counts.skips.map((skip) => ({ ...skip, title: `${stage.title}: ${skip.title}` })))
    if (counts.failed > 0) failures.push(stage.title)
    onEnd?.(stage, counts, output, (performance.now() - start) / 1000)
    running.delete(stage)
  }

  while (waiting.length > 0 || running.size > 0) {
    const isFree = running.size < lanes && ![...running.keys()].some(({ alone }) => alone)
    const index = isFree ? waiting.findIndex(isReady) : -1
    if (index >= 0) {
      const [stage] = waiting.splice(index, 1) as [Stage]
      running.set(stage, runOne(stage))
    } else await Promise.race(running.values())
  }
  return summary
}

/** Skips are failures: for machines that are to have all tools. */
export const withoutSkips = ({ passed, failed, skips, failures }: Summary): Summary => ({
  passed,
  failed: failed + skips.length,
  skips: [],
  failures: [...failures, ...skips.map(({ title, install }) => `${title} (skipped${install ? `: ${install}` : ''})`)],
})

/** What is missing, what failed, and the last line: `N passed, N failed`, then `, N skipped` where something was. */
export function textOf({ passed, failed, skips, failures }: Summary): string {
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${item}`), '']
  return [
    ...list(
      'skipped',
      skips.map(({ title, install }) => (install ? `${title}: ${install}` : title)),
    ),
    ...list('failed', failures),
    `${passed} passed, ${failed} failed${skips.length > 0 ? `, ${skips.length} skipped` : ''}`,
  ].join('\n')
}
