/** The counterpart of the layer of the user's own in the fixtures: x · factor^power. */
import * as g from 'galvani'

export class Scale extends g.nn.Module {
  readonly factor: g.Variable

  constructor(
    factor: g.Tensor,
    readonly power: number,
  ) {
    super()
    this.factor = g.variable(factor, { name: 'factor' })
  }

  forward(x: g.Tensor): g.Tensor {
    return x.mul(this.factor.pow(this.power))
  }
}

export const customLayers = {
  Scale: (config: Record<string, unknown>, [factor]: g.Tensor[]) => new Scale(factor!, Number(config.power)),
}
