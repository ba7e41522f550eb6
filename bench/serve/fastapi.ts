/** Our service beside PyTorch behind FastAPI, where that is there: requests in binary, as many as 64 connections ask. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { printTable } from '../harness.ts'
import { comparedNets, type NetName } from '../nets.ts'
import { inRounds, medianOf, Stage } from './stage.ts'

const rounds = 3
const seconds = 2

/** An interpreter that has them. */
const python = process.env.GALVANI_BENCH_PYTHON ?? 'python3'

const isThere = (): boolean =>
  spawnSync(python, ['-c', 'import fastapi, torch, uvicorn'], { stdio: 'ignore' }).status === 0

async function startPython(net: NetName) {
  const file = fileURLToPath(new URL('fastapi_server.py', import.meta.url))
  const program = spawn(python, [file, net], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(program.stdout), 'line')
  return { program, port: Number(line) }
}

export async function benchFastApi(): Promise<void> {
  if (!isThere())
    return console.log(`\nno fastapi, torch and uvicorn: GALVANI_BENCH_PYTHON names a Python that has them`)
  const stage = await Stage.open(true)
  const rows: Record<string, string | number>[] = []
  for (const net of comparedNets) {
    const { program, port } = await startPython(net)
    const sides = [await stage.serve({ side: 'galvani', net }), await stage.attach(port, net)]
    const results = await inRounds(rounds, sides, (served) => served.saturate(seconds))
    for (const [i, side] of ['galvani', 'FastAPI, torch'].entries())
      rows.push({
        ...{ net, side },
        'requests/s': medianOf(results[i]!, ({ perSecond }) => perSecond),
        'p50 ms': medianOf(results[i]!, ({ answerTimes }) => answerTimes.p50),
        'p99 ms': medianOf(results[i]!, ({ answerTimes }) => answerTimes.p99),
      })
    program.kill()
    await stage.clear()
  }
  await stage.close()
  printTable(`Beside PyTorch behind FastAPI, 64 connections, medians of ${rounds} rounds in turn`, rows)
}
