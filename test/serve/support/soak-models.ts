/** The models of the soak, in whose answers all parameters take part. */
import * as g from '../../../lib/index.ts'
import { parameterOf, width } from './soak-rows.ts'

/** Versions that are marked one by one: `[number of the row, product, product, version]`. */
export class Marked extends g.nn.Module {
  first = g.variable(g.full([1, width], parameterOf(1)))
  second = g.variable(g.full([width, 2], parameterOf(1)))
  version = g.variable(1)

  forward(x: g.Tensor): g.Tensor {
    const [number, mark] = g.split(x, 2, 1)
    const product = mark.matmul(this.first).matmul(this.second)
    return g.concat([number, product, this.version.add(g.zerosLike(number))], 1)
  }

  mark(version: number): void {
    this.first.assign(g.full([1, width], parameterOf(version)))
    this.second.assign(g.full([width, 2], parameterOf(version)))
    this.version.assign(version)
  }
}

/** Slopes that are the same while training treats them alike: `[number of the row, slope, mark · slope of each]`. */
export class Alike extends g.nn.Module {
  slopes = Array.from({ length: 4 }, () => g.variable(g.zeros([width])))

  forward(x: g.Tensor): g.Tensor {
    const [number, mark] = g.split(x, 2, 1)
    const most = this.slopes.map((slope) => slope.max())
    return g.concat([number, most[0]!.add(g.zerosLike(number)), ...most.map((slope) => mark.mul(slope))], 1)
  }
}
