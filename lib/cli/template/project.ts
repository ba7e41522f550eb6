/** The files of a new project: a small task, its configuration and its model in TypeScript. */
import { version } from '../../base/version.ts'

const classes = ['red', 'green', 'blue'] as const
const pointsPerClass = 200

/** Arms of a spiral, one for each class, that no line parts; the same in each project. */
function spirals(): string {
  let state = 1
  // xorshift32 (G. Marsaglia, "Xorshift RNGs", 2003)
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const rows = classes.flatMap((name, k) =>
    Array.from({ length: pointsPerClass }, (_, i) => {
      const radius = (i + 1) / pointsPerClass
      const angle = 2 * Math.PI * (k / classes.length + 0.75 * radius) + 0.3 * (random() - 0.5)
      return `${(radius * Math.cos(angle)).toFixed(4)},${(radius * Math.sin(angle)).toFixed(4)},${name}\n`
    }),
  )
  return ['x,y,colour\n', ...rows].join('')
}

const config = `/** What \`npm run train\` trains; docs/cli.md of galvani has all keys. */
export default {
  data: { path: 'data/spirals.csv', target: 'colour' },
  model: { file: './model.ts', options: { width: 32 } },
  optimizer: { type: 'adam', learningRate: 0.01 },
  schedule: 'cosine',
  metrics: ['accuracy'],
  validation: 0.2,
  epochs: 60,
  checkpoint: { best: 'validation.loss' },
}
`

const model = `import { nn } from 'galvani'

interface Info {
  /** Of a row, as it is after its preparation. */
  inputShape: readonly number[]
  /** As many as there are classes. */
  outputs: number
  /** Those of the configuration. */
  options: { width: number }
}

export default ({ inputShape, outputs, options: { width } }: Info) =>
  nn.sequential(
    nn.linear(inputShape[0]!, width),
    nn.tanh(),
    nn.linear(width, width),
    nn.tanh(),
    nn.linear(width, outputs),
  )
`

const readme = (name: string) => `# ${name}

\`\`\`sh
npm install                # galvani, for editors and your own programs; npx galvani runs without
npm run train              # runs/train: the model, its checkpoints, the configuration as used
npm run evaluate -- runs/train
npm run predict -- runs/train data/new.csv --probabilities
npm run export -- runs/train --out model.onnx
\`\`\`

\`train.config.ts\` says what is trained on what, \`model.ts\` is the model, and \`data/spirals.csv\` the data: points of three spirals, and the
colour of each. Try \`npm run train -- --set optimizer.learningRate=0.003 --set model.options.width=64\`.
`

/** By their paths. */
export function projectFiles(name: string): Readonly<Record<string, string>> {
  const scripts = Object.fromEntries(
    ['evaluate', 'predict', 'export', 'board'].map((command) => [command, `galvani ${command}`]),
  )
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: { train: 'galvani train train.config.ts', ...scripts },
    dependencies: { galvani: `^${version}` },
  }
  const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, noEmit: true }
  const options = { ...compilerOptions, allowImportingTsExtensions: true, skipLibCheck: true, types: [] }
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'tsconfig.json': `${JSON.stringify({ compilerOptions: options, include: ['*.ts'] }, null, 2)}\n`,
    'train.config.ts': config,
    'model.ts': model,
    'data/spirals.csv': spirals(),
    'data/new.csv': 'x,y\n0.5,0.1\n-0.4,0.3\n0.1,-0.7\n',
    'README.md': readme(name),
    '.gitignore': 'node_modules\nruns\n',
  }
}
