/** Functions of a model: how nodes name them, and their nodes with the attributes of a call. */
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from '../wire/onnx_pb.ts'

/** By domain, name and overload. */
export const functionKey = ({
  domain,
  overload,
  ...rest
}: Pick<NodeProto, 'domain' | 'overload' | 'opType'> | Pick<FunctionProto, 'domain' | 'overload' | 'name'>): string =>
  [domain === 'ai.onnx' ? '' : domain, 'opType' in rest ? rest.opType : rest.name, overload].join(':')

type Bound = ReadonlyMap<string, AttributeProto>

/** The nodes of a function, in which attributes of the node that calls it stand for those that refer to them. */
export function substituted(fn: FunctionProto, call: NodeProto): NodeProto[] {
  const bound = new Map([...fn.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute]))
  return fn.node.map((node) => withBound(node, bound))
}

function withBound(node: NodeProto, bound: Bound): NodeProto {
  return { ...node, attribute: node.attribute.flatMap((attribute) => boundAttribute(attribute, bound)) }
}

/** An attribute that the call does not give is not there. */
function boundAttribute(attribute: AttributeProto, bound: Bound): AttributeProto[] {
  if (attribute.refAttrName !== '') {
    const given = bound.get(attribute.refAttrName)
    return given === undefined ? [] : [{ ...given, name: attribute.name, refAttrName: '' }]
  }
  if (attribute.g === undefined) return [attribute]
  const g: GraphProto = { ...attribute.g, node: attribute.g.node.map((node) => withBound(node, bound)) }
  return [{ ...attribute, g }]
}
