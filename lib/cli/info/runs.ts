/** Runs, and configurations before they are run. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import '../../operations/methods.ts'
import { zeros } from '../../tensor/creation.ts'
import { setSeed } from '../../tensor/random.ts'
import { checkpointsIn } from '../../train/checkpoints.ts'
import { loadConfig } from '../config/load.ts'
import type { DataDescription } from '../data/description.ts'
import { loadData } from '../data/load.ts'
import { buildModel, type Pipeline } from '../model/build.ts'
import { checkpointsOf, loadRun, runFiles } from '../run/folder.ts'
import { countText } from '../text-table.ts'
import type { Info } from './info.ts'

function linesOf(pipeline: Pipeline, { input, target, ...data }: DataDescription): string[] {
  const what =
    target.type === 'classes' ? `classes: ${target.names.join(', ')}` : `numbers: ${target.columns.join(', ')}`
  const columns =
    'columns' in data ? [`columns: ${data.columns.map(({ name, type }) => `${name} (${type})`).join(', ')}`] : []
  const x = zeros([1, ...input.shape], { dtype: input.dtype })
  return [`input: ${input.dtype}[${input.shape.join(', ')}]`, ...columns, what, pipeline.summary(x)]
}

const parametersOf = (pipeline: Pipeline): number => pipeline.parameters().reduce((sum, { size }) => sum + size, 0)

export async function runInfo(path: string): Promise<Info> {
  const { run, pipeline, weights } = await loadRun(path)
  const checkpoints = (await checkpointsIn('info', checkpointsOf(run))).map((file) => relative(run.folder, file))
  const files = Object.values(runFiles).filter((name) => existsSync(join(run.folder, name)))
  return {
    lines: [
      `run: ${countText(parametersOf(pipeline))} parameters, of ${relative(run.folder, weights)}`,
      `files: ${files.join(', ')}`,
      ...linesOf(pipeline, run.data),
    ],
    json: { kind: 'run', parameters: parametersOf(pipeline), config: run.config, data: run.data, files, checkpoints },
  }
}

export async function configInfo(path: string): Promise<Info> {
  const { config, folder } = await loadConfig(path)
  setSeed(config.seed ?? 0)
  const data = await loadData(config, folder)
  const { pipeline } = await buildModel(config, { folder, file: path }, data.description)
  const rows = { train: data.train.size, validation: data.validation?.size ?? 0, test: data.test?.size ?? 0 }
  const counts = Object.entries(rows).filter(([, count]) => count > 0)
  return {
    lines: [
      `configuration: ${countText(parametersOf(pipeline))} parameters`,
      `rows: ${counts.map(([name, count]) => `${name} ${countText(count)}`).join(', ')}`,
      ...linesOf(pipeline, data.description),
    ],
    json: { kind: 'config', parameters: parametersOf(pipeline), rows, config, data: data.description },
  }
}
