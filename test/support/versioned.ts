/** A model all of whose parameters are to be the number of its version: whatever it answers says whether they were. */
import * as g from '../../lib/index.ts'

export class Versioned extends g.nn.Module {
  readonly first: g.Variable
  readonly inner: { second: g.Variable; third: g.Variable }
  readonly last = g.variable(1, { trainable: false })

  constructor(size: number) {
    super()
    const made = () => g.variable(g.ones([size]))
    this.first = made()
    this.inner = { second: made(), third: made() }
  }

  /** Of each row the least and the greatest of all parameters. */
  forward(x: g.Tensor): g.Tensor {
    const all = g.concat([this.first, this.inner.second, this.inner.third, this.last.reshape([1])])
    return g.stack([all.min(), all.max()]).add(x.mul(0))
  }

  become(version: number): void {
    for (const variable of [this.first, this.inner.second, this.inner.third, this.last])
      variable.assign(g.tensor(new Float32Array(variable.size).fill(version), { shape: variable.shape }))
  }
}
