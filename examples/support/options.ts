import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'

/** The command line of train-mnist. */
export interface TrainOptions {
  data: 'mnist' | 'fashion-mnist'
  dir?: string
  epochs: number
  batchSize: number
  learningRate: number
  seed: number
  threads?: number
  backend?: 'native' | 'reference'
}

const number = (what: string, isValid: (value: number) => boolean) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!isValid(value)) throw new InvalidArgumentError(`Expected ${what}.`)
  return value
}

export const count = number('a whole number above 0', (value) => Number.isSafeInteger(value) && value > 0)
export const seed = number('a whole number from 0 on', (value) => Number.isSafeInteger(value) && value >= 0)
const rate = number('a number above 0', (value) => Number.isFinite(value) && value > 0)

/** Whether a file, by its `import.meta.url`, is the program that runs, and not imported by another one. */
export const isProgram = (url: string): boolean => process.argv[1] === fileURLToPath(url)

/** Reads the command line; prints and exits where it asks for help or is wrong. */
export function parseOptions(): TrainOptions {
  return new Command('npm start --')
    .description('Train the MLP 784-256-128-10 on MNIST or Fashion-MNIST.')
    .addOption(new Option('--data <name>', 'the data set').choices(['mnist', 'fashion-mnist']).default('mnist'))
    .option('--dir <folder>', 'the folder of its IDX files, gzipped or not')
    .option('--epochs <n>', 'passes over the training set', count, 5)
    .option('--batch-size <n>', 'samples per step', count, 128)
    .option('--learning-rate <x>', 'of Adam', rate, 0.001)
    .option('--seed <n>', 'of the weights and of the shuffling', seed, 0)
    .option('--threads <n>', 'of the native backend', count)
    .addOption(new Option('--backend <name>', 'what computes').choices(['native', 'reference']))
    .parse()
    .opts<TrainOptions>()
}
