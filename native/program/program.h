// A program after decoding: validated plain data. Mirrors lib/program/program.ts and instructions.ts, whose comments
// are the specification of every instruction.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "program/vocabulary.h"

namespace galvani {

// The orders of these lists are the numbers of the wire format; the addon exports the names.
// clang-format off
#define GALVANI_OPCODES(X)                                                                       \
  X(matmul) X(elementwise) X(copy) X(pad) X(concat) X(reduce) X(argmax) X(softmax) X(logSoftmax) \
  X(softmaxCrossEntropy) X(gather) X(scatterAdd) X(random) X(sgd) X(momentum) X(adam)                \
  X(takeAlongAxis) X(scatterAlongAxis)                                                               \
  X(scan) X(recurrence) X(argsort) X(conv2d) X(conv2dInputGradient) X(conv2dWeightGradient) \
  X(maxPool2d) X(maxPool2dGradient) X(attention) \
  X(cholesky) X(triangularSolve) X(solve) X(determinant) X(qr) X(eigh) X(svd)
#define GALVANI_PLACES(X) X(input) X(state) X(literal) X(result) X(arena)
// clang-format on

#define GALVANI_ENUMERATOR(name) k_##name,
enum class Opcode : int32_t { GALVANI_OPCODES(GALVANI_ENUMERATOR) count };
enum class Place : int32_t { GALVANI_PLACES(GALVANI_ENUMERATOR) count };
#undef GALVANI_ENUMERATOR

constexpr int32_t kProgramMagic = 0x474c5631;
constexpr int32_t kProgramVersion = 1;
constexpr int64_t kArenaAlignment = 64;

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

struct MatrixLayout {
  int64_t offset, batch_stride, leading_dimension;
  bool transpose;
};

struct MatmulParams {
  int64_t batch, m, n, k;
  MatrixLayout a, b;
  Activation activation;
  double slope;
};

struct MicroInstruction {
  MicroOp op;
  DType dtype, to;
  int32_t args[3];  // registers; -1 past the arity
};

struct ElementwiseParams {
  int64_t size;
  std::vector<StridedView> operands;  // all over the same shape
  std::vector<MicroInstruction> code;
  std::vector<int32_t> results;
};

struct ViewParams {  // of copy and pad
  int64_t size;
  StridedView view;
};

struct ConcatParams {
  int64_t outer;
  std::vector<int64_t> inners;
};

struct ReduceParams {
  Reduction kind;
  int64_t outer, reduced, inner;
};

struct ArgmaxParams {
  int64_t outer, reduced, inner;
};

struct ScanParams {  // of scan and recurrence, which has no kind
  Reduction kind;
  int64_t outer, length, inner;
  bool reverse;
};

struct ArgsortParams {
  int64_t rows, columns, count;
  bool descending;
};

struct RowsParams {  // of softmax, logSoftmax and softmaxCrossEntropy
  int64_t rows, columns;
};

struct IndexParams {  // of gather and scatterAdd
  int64_t rows, row_size, count;
};

struct AlongAxisParams {  // of takeAlongAxis and scatterAlongAxis
  int64_t outer, rows, count, inner;
  bool accumulate;
};

// q, k, v and, where there is one, the mask: each as [batch…, rows, columns].
struct AttentionParams {
  int64_t batch, queries, keys, features, values;
  std::vector<StridedView> operands;
  double scale;
  bool is_causal;
};

struct MatricesParams {  // of linear algebra: the matrices of the first operand, or of the solutions of a system
  int64_t batch, rows, columns;
  struct {
    bool is_lower, is_transposed, has_unit_diagonal;
  } triangle;  // of triangularSolve
};

struct RandomParams {
  Distribution distribution;
};

struct SgdParams {
  int64_t size;
};

struct MomentumParams {
  int64_t size;
  double momentum;
  bool nesterov;
};

struct AdamParams {
  int64_t size;
  double beta1, beta2, epsilon, weight_decay;
};

struct ConvolutionParams {
  int64_t batch, groups, channels, filters;
  Windows windows;
  Activation activation;  // of conv2d alone
  double slope;
};

struct PoolingParams {
  int64_t planes;
  Windows windows;
};

using Params =
    std::variant<MatmulParams, ElementwiseParams, ViewParams, ConcatParams, ReduceParams, ArgmaxParams, RowsParams,
                 IndexParams, AlongAxisParams, RandomParams, SgdParams, MomentumParams, AdamParams, ScanParams,
                 ArgsortParams, ConvolutionParams, PoolingParams, AttentionParams, MatricesParams>;

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

// Whether a label or an index in the instruction's data can end the run.
bool is_fallible(const Program& program, const Instruction& instruction);

// Reads and validates: afterwards a run of the program on buffers of the stated sizes stays inside its memory whatever
// they hold. Words of any content give a program or an error, never undefined behaviour.
bool decode_program(const int32_t* words, int64_t word_count, int64_t literal_bytes, Program* program,
                    std::string* error);

}  // namespace galvani
