/** What a row of the export is: how an operation of the graph is written in operators of ONNX. */
import type { AnyNode, OpDef } from '../../graph/node.ts'
import type { graphOps, OpName } from '../../graph/ops/index.ts'
import type { splitOps } from '../../graph/ops/split.ts'
import type { Symbolic } from './dims.ts'
import type { Operation } from './graph.ts'
import type { Scope } from './scope.ts'

type AllOps = typeof graphOps & typeof splitOps

/** Operations with a graph of their own, and their outputs, which are operations too. */
export type ControlName = 'loop' | 'loopOutput' | 'whileLoop' | 'cond'

/** Whatever may stand in a graph that is exported. */
export type ExportName = OpName | keyof typeof splitOps | ControlName

type ParamsOf<D> = D extends OpDef<infer P, infer _ extends readonly AnyNode[]> ? P : never

type OperationOf<K extends ExportName> = Operation<
  K extends keyof AllOps ? Symbolic<ParamsOf<AllOps[K]>> : Operation['params']
>

/** Appends nodes for an operation, of which the operands are there, and gives the name of its value. */
export type Write<K extends ExportName = ExportName> = (
  scope: Scope,
  operation: OperationOf<K>,
  ...operands: string[]
) => string

/** Why there are no operators for it. */
export interface Unsupported {
  readonly unsupported: string
}

export type Row<K extends ExportName> = Write<K> | Unsupported

export type Rows<K extends ExportName> = { readonly [N in K]: Row<N> }
