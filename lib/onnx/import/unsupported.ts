/** Why operators of the standard are not supported. What stands neither here nor in a family is a gap that a test finds. */

const strings = 'it works on strings, and tensors have numbers'
const sequences = 'it works on sequences of tensors'
const optionals = 'it makes an optional value, which no tensor is'

export const reasons: Readonly<Record<string, string>> = {
  RegexFullMatch: strings,
  StringConcat: strings,
  StringNormalizer: strings,
  StringSplit: strings,
  TfIdfVectorizer: strings,
  ConcatFromSequence: sequences,
  SequenceAt: sequences,
  SequenceConstruct: sequences,
  SequenceEmpty: sequences,
  SequenceErase: sequences,
  SequenceInsert: sequences,
  SequenceLength: sequences,
  SequenceMap: sequences,
  SplitToSequence: sequences,
  Optional: optionals,
  BitCast: 'no operation of tensors takes the bits of a number for those of another one',
  Gradient: 'gradients of a model are asked of what it computed',
  ImageDecoder: 'it reads files of images, which are not in a tensor',
}
