// A ResNet-18 in the names of torchvision, with weights that PyTorch saved, as they are: `npx tsx examples/resnet18.ts`, `--help`. It compares what it
// computes with what PyTorch did, and goes on training the last layer.

import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import * as g from '../lib/index.ts'
import * as torch from '../lib/torch/index.ts'

/** Two convolutions, and a way around them (K. He et al.: Deep residual learning for image recognition, 2015). */
class BasicBlock extends g.nn.Module {
  readonly conv1: g.nn.Module
  readonly bn1: g.nn.BatchNorm
  readonly conv2: g.nn.Module
  readonly bn2: g.nn.BatchNorm
  readonly downsample: g.nn.Module | null

  constructor(inChannels: number, channels: number, stride: number) {
    super()
    this.conv1 = g.nn.conv2d(inChannels, channels, 3, { stride, padding: 1, bias: false })
    this.bn1 = g.nn.batchNorm2d(channels)
    this.conv2 = g.nn.conv2d(channels, channels, 3, { padding: 1, bias: false })
    this.bn2 = g.nn.batchNorm2d(channels)
    const isSame = stride === 1 && inChannels === channels
    this.downsample = isSame
      ? null
      : g.nn.sequential(g.nn.conv2d(inChannels, channels, 1, { stride, bias: false }), g.nn.batchNorm2d(channels))
  }

  forward(x: g.Tensor): g.Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu()
    const around = this.downsample === null ? x : this.downsample.forward(x)
    return this.bn2.forward(this.conv2.forward(inner)).add(around).relu()
  }
}

const layer = (inChannels: number, channels: number, stride: number): g.nn.Module =>
  g.nn.sequential(new BasicBlock(inChannels, channels, stride), new BasicBlock(channels, channels, 1))

/** torchvision's has widths of 64, 128, 256 and 512, and 1000 classes. */
class ResNet18 extends g.nn.Module {
  readonly conv1: g.nn.Module
  readonly bn1: g.nn.BatchNorm
  readonly maxpool = g.nn.maxPool2d(3, { stride: 2, padding: 1 })
  readonly layer1: g.nn.Module
  readonly layer2: g.nn.Module
  readonly layer3: g.nn.Module
  readonly layer4: g.nn.Module
  readonly fc: g.nn.Linear

  constructor([a, b, c, d]: readonly [number, number, number, number], classes: number) {
    super()
    this.conv1 = g.nn.conv2d(3, a, 7, { stride: 2, padding: 3, bias: false })
    this.bn1 = g.nn.batchNorm2d(a)
    this.layer1 = layer(a, a, 1)
    this.layer2 = layer(a, b, 2)
    this.layer3 = layer(b, c, 2)
    this.layer4 = layer(c, d, 2)
    this.fc = g.nn.linear(d, classes)
  }

  forward(images: g.Tensor): g.Tensor {
    let x = this.maxpool.forward(this.bn1.forward(this.conv1.forward(images)).relu())
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x)
    return this.fc.forward(x.mean([2, 3]))
  }
}

const ofTests = fileURLToPath(new URL('../test/fixtures/resnet18.pt', import.meta.url))
const { file } = new Command('npx tsx examples/resnet18.ts')
  .description("Run a ResNet-18 with PyTorch's weights, compare its outputs, and train its last layer.")
  .option('--file <path>', 'state_dict, input and output, as test/fixtures/make_torch_fixtures.py writes them', ofTests)
  .parse()
  .opts<{ file: string }>()

interface Saved {
  state_dict: g.nn.StateDict
  input: g.Tensor
  output: g.Tensor
}
const { state_dict: weights, input, output } = await torch.load<Saved>(file)
const widthOf = (name: string): number => weights[name]!.shape[0]!
const model = new ResNet18(
  [
    widthOf('bn1.weight'),
    widthOf('layer2.0.bn1.weight'),
    widthOf('layer3.0.bn1.weight'),
    widthOf('layer4.0.bn1.weight'),
  ],
  widthOf('fc.weight'),
)
model.loadStateDict(weights)
model.eval()
const logits = model.forward(input)
const difference = await logits.sub(output).abs().max().item()
console.log(`${Object.keys(weights).length} values of PyTorch, logits within ${difference.toExponential(1)} of its own`)

// A new last layer for classes of one's own; all else stays as it is.
model.freeze().unfreeze('fc')
const images = g.data.fromTensors(g.concat([input, input.neg()]), g.tensor([0, 0, 1, 1], { dtype: 'int32' }))
const { epochs } = await g.fit(model, images, {
  epochs: 30,
  batchSize: 4,
  loss: 'crossEntropy',
  optimizer: g.optim.adam({ learningRate: 0.05 }),
  callbacks: [],
})
console.log(`fine-tuned: a loss of ${epochs[0]!.loss.toFixed(3)} became ${epochs.at(-1)!.loss.toFixed(3)}`)
