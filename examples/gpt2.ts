// A GPT-2 in the names of Hugging Face's transformers, with weights that PyTorch saved, as they are: `npx tsx examples/gpt2.ts`, `--help`. It compares what it
// computes with what PyTorch did, and goes on with a text, of which it knows the tokens alone.

import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import * as g from '../lib/index.ts'
import * as torch from '../lib/torch/index.ts'
import { count } from './support/options.ts'

/** A linear layer with a weight of [in, out], as GPT-2 was written. */
class Conv1D extends g.nn.Module {
  readonly weight: g.Variable
  readonly bias: g.Variable

  constructor(outFeatures: number, inFeatures: number) {
    super()
    this.weight = g.variable(g.randn([inFeatures, outFeatures]).mul(0.02))
    this.bias = g.variable(g.zeros([outFeatures]))
  }

  forward(x: g.Tensor): g.Tensor {
    return x.matmul(this.weight).add(this.bias)
  }
}

class Attention extends g.nn.Module {
  readonly c_attn: Conv1D
  readonly c_proj: Conv1D
  readonly #heads: number

  constructor(features: number, heads: number) {
    super()
    this.c_attn = new Conv1D(3 * features, features)
    this.c_proj = new Conv1D(features, features)
    this.#heads = heads
  }

  forward(x: g.Tensor): g.Tensor {
    const [batch, length, features] = x.shape as [number, number, number]
    const inHeads = (part: g.Tensor) => part.reshape([batch, length, this.#heads, -1]).transpose([0, 2, 1, 3])
    const [q, k, v] = this.c_attn.forward(x).split(3, -1).map(inHeads) as [g.Tensor, g.Tensor, g.Tensor]
    const mixed = g.scaledDotProductAttention(q, k, v, { causal: true })
    return this.c_proj.forward(mixed.transpose([0, 2, 1, 3]).reshape([batch, length, features]))
  }
}

class Mlp extends g.nn.Module {
  readonly c_fc: Conv1D
  readonly c_proj: Conv1D

  constructor(features: number) {
    super()
    this.c_fc = new Conv1D(4 * features, features)
    this.c_proj = new Conv1D(features, 4 * features)
  }

  forward(x: g.Tensor): g.Tensor {
    return this.c_proj.forward(this.c_fc.forward(x).gelu({ approximate: 'tanh' }))
  }
}

class Block extends g.nn.Module {
  readonly ln_1: g.nn.Normalization
  readonly attn: Attention
  readonly ln_2: g.nn.Normalization
  readonly mlp: Mlp

  constructor(features: number, heads: number) {
    super()
    this.ln_1 = g.nn.layerNorm(features)
    this.attn = new Attention(features, heads)
    this.ln_2 = g.nn.layerNorm(features)
    this.mlp = new Mlp(features)
  }

  forward(x: g.Tensor): g.Tensor {
    const attended = x.add(this.attn.forward(this.ln_1.forward(x)))
    return attended.add(this.mlp.forward(this.ln_2.forward(attended)))
  }
}

interface Sizes {
  vocabulary: number
  positions: number
  features: number
  layers: number
  heads: number
}

/** OpenAI's smallest has 50257 tokens, 1024 positions, 768 features, 12 layers and 12 heads. */
class Gpt2 extends g.nn.Module {
  readonly transformer
  readonly lm_head: g.nn.Linear

  constructor({ vocabulary, positions, features, layers, heads }: Sizes) {
    super()
    this.transformer = {
      wte: g.nn.embedding(vocabulary, features),
      wpe: g.nn.embedding(positions, features),
      h: g.nn.moduleList(Array.from({ length: layers }, () => new Block(features, heads))),
      ln_f: g.nn.layerNorm(features),
    }
    this.lm_head = g.nn.linear(features, vocabulary, { bias: false })
    this.lm_head.weight = this.transformer.wte.weight
  }

  /** int32 tokens [batch, length] give logits [batch, length, vocabulary]. */
  forward(tokens: g.Tensor): g.Tensor {
    const { wte, wpe, h, ln_f } = this.transformer
    const positions = g.arange(0, tokens.shape[1]!, { dtype: 'int32' })
    let x = wte.forward(tokens).add(wpe.forward(positions))
    for (const block of h) x = block.forward(x)
    return this.lm_head.forward(ln_f.forward(x))
  }
}

const ofTests = fileURLToPath(new URL('../test/fixtures/gpt2.pt', import.meta.url))
const options = new Command('npx tsx examples/gpt2.ts')
  .description("Run a GPT-2 with PyTorch's weights, compare its outputs, and have it go on.")
  .option('--file <path>', 'state_dict, input and output, as test/fixtures/make_torch_fixtures.py writes them', ofTests)
  .option('--heads <n>', 'which the weights do not tell', count, 2)
  .parse()
  .opts<{ file: string; heads: number }>()

interface Saved {
  state_dict: g.nn.StateDict
  input: g.Tensor
  output: g.Tensor
}
const { state_dict: weights, input, output } = await torch.load<Saved>(options.file)
const [vocabulary, features] = weights['transformer.wte.weight']!.shape as [number, number]
const model = new Gpt2({
  vocabulary,
  features,
  positions: weights['transformer.wpe.weight']!.shape[0]!,
  layers: Object.keys(weights).filter((name) => name.endsWith('.attn.c_attn.weight')).length,
  heads: options.heads,
})
model.loadStateDict(weights)
model.eval()
const difference = await model.forward(input).sub(output).abs().max().item()
console.log(`${Object.keys(weights).length} values of PyTorch, logits within ${difference.toExponential(1)} of its own`)

const next = g.compile((tokens: g.Tensor) => model.forward(tokens).slice([0, -1]).argmax(-1).reshape([1, 1]))
let tokens = input.slice(0, 1)
for (let i = 0; i < 4; i++) tokens = g.concat([tokens, await next(tokens)], 1)
console.log(`it goes on: ${(await tokens.data()).join(' ')}`)
