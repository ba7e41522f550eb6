// A program after decoding: validated plain data. Mirrors lib/program/program.ts; the comments of lib/program/schema.ts
// are the specification of every instruction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "program/vocabulary.h"

namespace galvani {

constexpr int32_t kProgramMagic = 0x474c5631;
constexpr int32_t kProgramVersion = 3;
constexpr int64_t kArenaAlignment = 64;
constexpr int kMostNesting = 16;  // how deep programs may be in each other

// A number for each axis.
struct PerAxis {
  int rank;
  int64_t values[kMaxRank];
};

struct LoadPattern {
  int64_t offset;
  PerAxis strides;
};

struct MatrixLayout {
  int64_t offset, batch_stride, leading_dimension;
  bool transpose;
};

struct MicroInstruction {
  MicroOp op;
  DType dtype, to;
  int32_t args[3];  // registers; -1 past the arity
};

struct Program;

// The parameters of each instruction, Params for those of any, and the list of opcodes.
#define GALVANI_INSTRUCTION_PARAMS
#include "program/instructions.inc"
#undef GALVANI_INSTRUCTION_PARAMS

// The orders of these lists are the numbers of the wire format; the addon exports the names.
// clang-format off
#define GALVANI_PLACES(X) X(input) X(state) X(literal) X(result) X(arena)
#define GALVANI_ENUMERATOR(name) k_##name,
enum class Opcode : int32_t { GALVANI_OPCODES(GALVANI_ENUMERATOR) count };
enum class Place : int32_t { GALVANI_PLACES(GALVANI_ENUMERATOR) count };
#undef GALVANI_ENUMERATOR
// clang-format on

const char* name_of(Opcode opcode);
const char* name_of(DType dtype);
const char* name_of(MicroOp op);

struct Value {
  DType dtype;
  Place place;
  int64_t index;  // of an input, state or result; else the byte offset in the literals or the arena
  int64_t size;   // elements
  int64_t bytes;
};

struct Instruction {
  Opcode opcode;
  std::vector<int32_t> inputs, outputs;  // value ids
  Params params;
};

// What the caller binds at one position: inputs, states as read, states as written, results.
struct BufferType {
  DType dtype;
  int64_t bytes;
};

struct Program {
  std::vector<Value> values;
  std::vector<Instruction> instructions;
  std::vector<BufferType> buffers;
  int32_t input_count = 0, state_count = 0, result_count = 0;
  int64_t arena_bytes = 0;
};

// The elements of a shape; int64's greatest value, which is the size of nothing, where they are more than memory holds.
int64_t size_of(const PerAxis& shape);

// What a pattern reads over a shape of the rank of its strides.
StridedView view_of(const PerAxis& shape, const LoadPattern& pattern);
inline StridedView view_of(const CopyParams& p) { return view_of(p.shape, {p.offset, p.strides}); }

// An attention's q, k, v or mask: [batch…, rows, columns].
StridedView view_of(const AttentionParams& p, size_t operand);
// The same of its gradient, whose fourth operand is the cotangent.
StridedView gradient_view_of(const AttentionParams& p, size_t operand);

// The programs that an instruction runs, in the order of its parameters.
std::vector<const Program*> bodies_of(const Instruction& instruction);

// How many instructions are in them, those of programs inside included.
int32_t inner_count(const Instruction& instruction);

// Whether a label or an index in the instruction's data, or in that of its programs, can end the run.
bool is_fallible(const Program& program, const Instruction& instruction);

// Reads and validates: afterwards a run of the program on buffers of the stated sizes stays inside its memory whatever
// they hold. Words of any content give a program or an error, never undefined behaviour.
bool decode_program(const int32_t* words, int64_t word_count, int64_t literal_bytes, Program* program,
                    std::string* error);

}  // namespace galvani
