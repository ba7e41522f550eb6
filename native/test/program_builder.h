// Programs as words, as lib/program/encode.ts writes them.
#pragma once

#include <cstring>
#include <vector>

#include "program/program.h"

namespace galvani::test {

using Words = std::vector<int32_t>;

inline void append(Words& a, const Words& b) { a.insert(a.end(), b.begin(), b.end()); }

inline Words operator+(Words a, const Words& b) {
  append(a, b);
  return a;
}

template <typename Enumeration>
int32_t number(Enumeration e) {
  return static_cast<int32_t>(e);
}

inline Words real(double x) {
  int32_t halves[2];
  std::memcpy(halves, &x, sizeof x);
  return {halves[0], halves[1]};
}

// How many, and then the words.
inline Words list(const Words& words) { return Words{static_cast<int32_t>(words.size())} + words; }

// Values get their ids in the order of the calls; inputs, states and results their indices.
class ProgramBuilder {
 public:
  int32_t input(DType dtype, const Words& shape) { return value(dtype, Place::k_input, inputs++, shape); }
  int32_t state(DType dtype, const Words& shape) { return value(dtype, Place::k_state, states++, shape); }
  int32_t result(DType dtype, const Words& shape) { return value(dtype, Place::k_result, results++, shape); }

  template <typename T>
  int32_t literal(DType dtype, const Words& shape, const std::vector<T>& data) {
    const size_t start = literals.size();
    literals.resize((start + data.size() * sizeof(T) + 63) / 64 * 64);
    std::memcpy(literals.data() + start, data.data(), data.size() * sizeof(T));
    return value(dtype, Place::k_literal, static_cast<int32_t>(start / 64), shape);
  }

  // At the end of the arena.
  int32_t scratch(DType dtype, const Words& shape) {
    const int32_t id = value(dtype, Place::k_arena, arena_blocks, shape);
    int64_t bytes = element_bytes(dtype);
    for (const int32_t extent : shape) bytes *= extent;
    arena_blocks += static_cast<int32_t>((bytes + 63) / 64);
    return id;
  }

  // At a place of one's own.
  int32_t value(DType dtype, Place place, int32_t index, const Words& shape) {
    append(value_words, Words{number(dtype), number(place), index} + list(shape));
    return values++;
  }

  void instruction(Opcode opcode, const Words& in, const Words& out, const Words& params) {
    append(instruction_words, Words{number(opcode)} + list(in) + list(out) + list(params));
    ++instructions;
  }

  Words words() const {
    return Words{kProgramMagic, kProgramVersion, values, instructions, inputs, states, results, arena_blocks} +
           value_words + instruction_words;
  }

  int32_t values = 0, instructions = 0, inputs = 0, states = 0, results = 0, arena_blocks = 0;
  Words value_words, instruction_words;
  std::vector<uint8_t> literals;
};

struct Pattern {
  int32_t offset;
  Words strides;
};

struct MicroWords {
  MicroOp op;
  DType dtype;
  Words args;
  DType to = DType::count;  // the same as dtype
};

inline Words elementwise(const Words& shape, const std::vector<Pattern>& operands, const std::vector<MicroWords>& code,
                         const Words& results) {
  Words words = list(shape) + Words{static_cast<int32_t>(operands.size())};
  for (const Pattern& pattern : operands) words = words + Words{pattern.offset} + list(pattern.strides);
  words.push_back(static_cast<int32_t>(code.size()));
  for (const MicroWords& micro : code) {
    Words args = micro.args;
    args.resize(3, -1);
    words = words +
            Words{number(micro.op), number(micro.dtype), number(micro.to == DType::count ? micro.dtype : micro.to)} +
            args;
  }
  return words + list(results);
}

inline Words view(const Words& shape, int32_t offset, const Words& strides) {
  return list(shape) + Words{offset} + list(strides);
}

inline Words matmul(int32_t batch, int32_t m, int32_t n, int32_t k, const Words& a, const Words& b,
                    Activation activation = Activation::k_none, double slope = 0,
                    Precision precision = Precision::k_float32) {
  return Words{batch, m, n, k} + a + b + Words{number(activation)} + real(slope) + Words{number(precision)};
}

}  // namespace galvani::test
