/** The errors of files that are no models, and of models that ask for what there is not. */
import { DataFormatError, expected } from '../base/errors.ts'

/** What messages call the function that reads a model. */
export const op = 'onnx.load'

/** `onnx.load: expected X, got Y (place)`: what is wrong in a file, and where. */
export const formatError = (what: string, got: unknown, place: string): DataFormatError =>
  new DataFormatError(`${expected(op, what, got)} (${place})`)

/** An operator of a model that there is no counterpart of. */
export interface UnsupportedOperator {
  /** Its name, with the domain before it where that is not the main one: `com.microsoft.Gelu`. */
  readonly operator: string
  /** The version of the domain by which the model means it. */
  readonly opset: number
  /** The nodes that it stands in. */
  readonly nodes: readonly string[]
  readonly reason: string
}

const mostNodes = 5

/** Operators of a model that are not supported: all of them, with their nodes. */
export class UnsupportedOperatorError extends Error {
  override name = 'UnsupportedOperatorError'

  constructor(
    /** What it is about. */
    readonly operators: readonly UnsupportedOperator[],
    place: string,
  ) {
    const lines = operators.map(({ operator, opset, nodes, reason }) => {
      const more = nodes.length > mostNodes ? `, and ${nodes.length - mostNodes} more` : ''
      return `  ${operator} of opset ${opset}: ${reason}; at ${nodes.slice(0, mostNodes).join(', ')}${more}`
    })
    super(`${op}: operators that are not supported (${place}):\n${lines.join('\n')}`)
  }
}

/** What decides on a shape or a path is computed from data, of which there is none while a function is compiled. */
export class DependsOnDataError extends TypeError {
  constructor(what: string) {
    super(
      `onnx: ${what} decides on a shape or a path and depends on data, which there is none of inside compile: call forward outside of it`,
    )
  }
}
