// What each instruction demands of its operands and parameters. What is no product of parameters stands here, in
// functions by the names that rows of lib/program/schema.ts call them by; the rest is generated from these.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/numbers.h"
#include "program/operands.h"

namespace galvani {
namespace {

// Whether every element of the view is inside [0, size). The highest address only grows, the lowest only falls, so
// stopping at the first step outside keeps both far from overflow.
bool is_inside(const StridedView& view, int64_t size) {
  if (checked_product(view.shape, view.rank) == 0) return true;
  int64_t lowest = view.offset, highest = view.offset;
  for (int axis = 0; axis < view.rank; ++axis) {
    const int64_t reach = (view.shape[axis] - 1) * view.strides[axis];
    (reach < 0 ? lowest : highest) += reach;
    if (lowest < 0 || highest >= size) return false;
  }
  return lowest >= 0 && highest < size;
}

// Whether no two elements of the view share an address: each stride steps over all that the smaller ones reach.
bool is_distinct(const StridedView& view) {
  if (checked_product(view.shape, view.rank) == 0) return true;
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride and extent
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.shape[axis] > 1) axes.emplace_back(std::abs(view.strides[axis]), view.shape[axis]);
  }
  std::sort(axes.begin(), axes.end());
  int64_t reach = 0;
  for (const auto& [stride, extent] : axes) {
    if (stride <= reach) return false;
    reach += (extent - 1) * stride;
  }
  return true;
}

bool is_inside(const MatrixLayout& layout, int64_t batch, int64_t rows, int64_t columns, int64_t size) {
  if (layout.transpose) std::swap(rows, columns);
  return is_inside(
      StridedView{3, {batch, rows, columns}, {layout.batch_stride, layout.leading_dimension, 1}, layout.offset}, size);
}

void check_matmul(const MatmulParams& p, Operands& operands) {
  const bool is_plain = operands.input_count() == 2 && p.activation == Activation::k_none;
  operands.expect(is_plain || operands.input(0).dtype != DType::k_int32,
                  "expected integers without bias and activation, got one");
  operands.expect(p.precision == Precision::k_float32 || operands.input(0).dtype == DType::k_float32,
                  "expected bf16 of float32 operands alone, got integers");
  operands.expect(is_inside(p.a, p.batch, p.m, p.k, operands.input(0).size),
                  "expected a inside its operand, got outside");
  operands.expect(is_inside(p.b, p.batch, p.k, p.n, operands.input(1).size),
                  "expected b inside its operand, got outside");
}

void check_quantized_matmul(const QuantizedMatmulParams& p, Operands& operands) {
  operands.expect(p.k <= kMaxQuantizedDepth, "expected k of at most 2^17, got more");
  const int64_t panels = ceil_div(p.n, kPanelOutputs), steps = ceil_div(p.k, kPanelInputs);
  operands.expect_input_size(1, checked_product({panels, steps, kPanelOutputs, kPanelInputs}));
}

// `registers` holds the dtypes of the registers that are written before this step.
bool is_well_typed(const MicroInstruction& micro, const std::vector<DType>& registers) {
  const MicroFacts& facts = facts_of(micro.op);
  if (!takes(facts.kind, micro.dtype)) return false;
  for (int i = 0; i < 3; ++i) {
    const int32_t arg = micro.args[i];
    if (i >= facts.arity) {
      if (arg != -1) return false;
      continue;
    }
    if (arg < 0 || static_cast<size_t>(arg) >= registers.size()) return false;
    const bool is_condition = micro.op == MicroOp::k_where && i == 0;
    if (registers[arg] != (is_condition ? DType::k_bool : micro.dtype)) return false;
  }
  return true;
}

void expect_inside(const PerAxis& shape, const LoadPattern& pattern, int64_t size, const char* message,
                   Operands& operands) {
  operands.expect(pattern.strides.rank == shape.rank, "expected a stride for each axis, got another number");
  operands.expect(is_inside(view_of(shape, pattern), size), message);
}

void check_elementwise(const ElementwiseParams& p, Operands& operands) {
  if (!operands.counts(p.operands.size(), p.results.size())) return;
  std::vector<DType> registers;
  registers.reserve(p.operands.size() + p.code.size());
  for (size_t i = 0; i < p.operands.size(); ++i) {
    expect_inside(p.shape, p.operands[i], operands.input(i).size, "expected a pattern inside its operand, got outside",
                  operands);
    registers.push_back(operands.input(i).dtype);
  }
  for (const MicroInstruction& micro : p.code) {
    operands.expect(is_well_typed(micro, registers),
                    "expected registers written before, of the micro-op's dtypes, got others");
    registers.push_back(result_of(micro.op, micro.dtype, micro.to));
  }
  for (size_t i = 0; i < p.results.size(); ++i) {
    const bool exists = static_cast<size_t>(p.results[i]) < registers.size();
    operands.expect(exists, "expected a register as result, got a number outside");
    if (exists) operands.expect_output_dtype(i, {registers[p.results[i]]});
    operands.expect_output_size(i, size_of(p.shape));
  }
}

void check_copy(const CopyParams& p, Operands& operands) {
  expect_inside(p.shape, {p.offset, p.strides}, operands.input(0).size,
                "expected a view inside the operand, got outside", operands);
  operands.expect_output_size(0, size_of(p.shape));
}

void check_pad(const PadParams& p, Operands& operands) {
  operands.expect_input_size(0, size_of(p.shape));
  expect_inside(p.shape, {p.offset, p.strides}, operands.output(0).size,
                "expected targets inside the output, got outside", operands);
  operands.expect(!operands.ok() || is_distinct(view_of(p)), "expected distinct targets, got some twice");
}

void check_concat(const ConcatParams& p, Operands& operands) {
  if (!operands.counts(p.inners.size(), 1)) return;
  int64_t inner = 0;
  for (size_t i = 0; i < p.inners.size(); ++i) {
    operands.expect_input_dtype(i, {operands.output(0).dtype});
    operands.expect_input_size(i, checked_product({p.outer, p.inners[i]}));
    inner += p.inners[i];
  }
  operands.expect_output_size(0, checked_product({p.outer, inner}));
}

void check_argmax(const ArgmaxParams& p, Operands& operands) {
  operands.expect(p.reduced > 0 || p.outer == 0 || p.inner == 0,
                  "expected something to choose from, got an empty axis");
}

void check_argsort(const ArgsortParams& p, Operands& operands) {
  operands.expect(p.count <= p.columns, "expected at most as many as there are in a row, got more");
}

void check_scatter_along_axis(const ScatterAlongAxisParams& p, Operands& operands) {
  if (p.accumulate) operands.expect_input_dtype(0, {DType::k_float32, DType::k_float64, DType::k_int32});
}

bool has_adjacent_columns(const StridedView& view) {
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.strides[axis] < 0) return false;
  }
  return view.shape[view.rank - 1] <= 1 || view.strides[view.rank - 1] == 1;
}

void check_attention(const AttentionParams& p, Operands& operands) {
  operands.expect(p.operands.size() == operands.input_count(),
                  "expected a pattern for each operand, got another number");
  operands.expect(p.batch.rank <= kMaxRank - 2, "expected matrices of at most 8 axes, got more");
  if (!operands.ok()) return;
  for (size_t i = 0; i < p.operands.size(); ++i) {
    const StridedView view = view_of(p, i);
    operands.expect(p.operands[i].strides.rank == view.rank, "expected a stride for each axis, got another number");
    operands.expect(is_inside(view, operands.input(i).size), "expected a pattern inside its operand, got outside");
    operands.expect(i == 3 || has_adjacent_columns(view),
                    "expected adjacent columns and no negative strides, got others");
  }
  const int64_t batch = size_of(p.batch);
  operands.expect_output_size(0, checked_product({batch, p.queries, p.values}));
  operands.expect_output_size(1, checked_product({batch, p.queries}));
}

void check_attention_gradient(const AttentionParams& p, Operands& operands) {
  operands.expect(p.operands.size() == 4, "expected 4 patterns, got another number");
  operands.expect(p.batch.rank <= kMaxRank - 2, "expected matrices of at most 8 axes, got more");
  if (!operands.ok()) return;
  for (size_t i = 0; i < p.operands.size(); ++i) {
    const StridedView view = gradient_view_of(p, i);
    operands.expect(p.operands[i].strides.rank == view.rank, "expected a stride for each axis, got another number");
    operands.expect(is_inside(view, operands.input(i).size), "expected a pattern inside its operand, got outside");
    operands.expect(has_adjacent_columns(view), "expected adjacent columns and no negative strides, got others");
  }
  const int64_t batch = size_of(p.batch);
  operands.expect_input_size(4, checked_product({batch, p.queries, p.values}));
  operands.expect_input_size(5, checked_product({batch, p.queries}));
  operands.expect_output_size(0, checked_product({batch, p.queries, p.features}));
  operands.expect_output_size(1, checked_product({batch, p.keys, p.features}));
  operands.expect_output_size(2, checked_product({batch, p.keys, p.values}));
}

// `count` operands are what a body binds from its buffer number `first` on, or sequences of `length` such.
template <typename Expect>
void expect_bound(const Program& body, int64_t first, int64_t count, int64_t length, Expect expect) {
  for (int64_t i = 0; i < count; ++i) {
    const BufferType& buffer = body.buffers[first + i];
    expect(i, buffer.dtype, checked_product({length, buffer.bytes / element_bytes(buffer.dtype)}));
  }
}

void expect_bound_inputs(Operands& operands, int64_t from, const Program& body, int64_t first, int64_t count,
                         int64_t length = 1) {
  expect_bound(body, first, count, length, [&](int64_t i, DType dtype, int64_t size) {
    operands.expect_input_dtype(from + i, {dtype});
    operands.expect_input_size(from + i, size);
  });
}

void expect_bound_outputs(Operands& operands, int64_t from, const Program& body, int64_t first, int64_t count,
                          int64_t length = 1) {
  expect_bound(body, first, count, length, [&](int64_t i, DType dtype, int64_t size) {
    operands.expect_output_dtype(from + i, {dtype});
    operands.expect_output_size(from + i, size);
  });
}

void check_loop(const LoopParams& p, Operands& operands) {
  const Program& body = *p.body;
  const int64_t inputs = body.input_count, carries = body.state_count, results = body.result_count;
  operands.expect(p.constants <= inputs, "expected a body that has an input for each constant, got fewer");
  if (!operands.ok() || !operands.counts(inputs + carries, carries + results)) return;
  expect_bound_inputs(operands, 0, body, 0, p.constants);
  expect_bound_inputs(operands, p.constants, body, inputs, carries);
  expect_bound_inputs(operands, p.constants + carries, body, p.constants, inputs - p.constants, p.length);
  expect_bound_outputs(operands, 0, body, inputs, carries);
  expect_bound_outputs(operands, carries, body, inputs + 2 * carries, results, p.length);
}

void check_while_loop(const WhileLoopParams& p, Operands& operands) {
  const Program &condition = *p.condition, &body = *p.body;
  const int64_t carries = body.state_count;
  operands.expect(body.input_count == p.constants && body.result_count == 0,
                  "expected a body that reads the constants and gives the carries, got another");
  operands.expect(
      condition.input_count == p.constants + carries && condition.state_count == 0 && condition.result_count == 1,
      "expected a condition of constants and carries with one result, got another");
  if (!operands.ok() || !operands.counts(p.constants + carries, carries)) return;
  expect_bound_inputs(operands, 0, body, 0, p.constants);
  expect_bound_inputs(operands, p.constants, body, p.constants, carries);
  expect_bound_inputs(operands, 0, condition, 0, p.constants + carries);
  expect_bound_outputs(operands, 0, body, p.constants, carries);
  const BufferType& result = condition.buffers.back();
  operands.expect(result.dtype == DType::k_bool && result.bytes == 1, "expected a condition of one bool, got another");
}

void check_branch(const BranchParams& p, Operands& operands) {
  for (const Program* body : {p.if_true.get(), p.if_false.get()}) {
    operands.expect(body->state_count == 0, "expected programs without states, got one with some");
    if (!operands.ok() || !operands.counts(1 + size_t{0} + body->input_count, body->result_count)) return;
    expect_bound_inputs(operands, 1, *body, 0, body->input_count);
    expect_bound_outputs(operands, 0, *body, body->input_count, body->result_count);
  }
}

// Mirrors `distributionParameters` in lib/program/vocabulary.ts.
size_t parameter_count(Distribution distribution) {
  switch (distribution) {
    case Distribution::k_integer:
    case Distribution::k_truncatedNormal:
    case Distribution::k_beta: return 2;
    case Distribution::k_gamma:
    case Distribution::k_poisson: return 1;
    default: return 0;
  }
}

void check_random(const RandomParams& p, Operands& operands) {
  if (!operands.counts(1 + parameter_count(p.distribution), 1)) return;
  const bool is_double = operands.output(0).dtype == DType::k_float64;
  const DType real = is_double ? DType::k_float64 : DType::k_float32;
  const DType dtype = p.distribution == Distribution::k_integer ? DType::k_int32 : real;
  for (size_t i = 1; i < operands.input_count(); ++i) {
    operands.expect_input_dtype(i, {dtype});
    operands.expect_input_size(i, operands.input(i).size == 1 ? 1 : operands.output(0).size);
  }
  operands.expect_output_dtype(0, {dtype});
}

// Windows have elements and move on, and none reaches further than 32 bits count.
void check_windows(const Windows& w, Operands& operands) {
  const int64_t least =
      std::min({w.kernel_height, w.kernel_width, w.stride_height, w.stride_width, w.dilation_height, w.dilation_width});
  operands.expect(least >= 1, "expected a kernel, strides and dilations of at least 1, got less");
  if (!operands.ok()) return;
  const int64_t reach = checked_product({rows_reached(w, w.out_height), columns_reached(w, w.out_width)});
  operands.expect(reach <= INT32_MAX, "expected windows that reach over as many elements as 32 bits count, got more");
}

// Windows of 2×2 lie inside what the others give.
template <typename P>
void check_pooled_windows(const P& p, Operands& operands) {
  check_windows(p, operands);
  operands.expect(2 * p.pooled_height <= p.out_height && 2 * p.pooled_width <= p.out_width,
                  "expected outputs enough to pool, got less");
}

// check_instruction(instruction, operands)
#define GALVANI_INSTRUCTION_OPERANDS
#include "program/instructions.inc"
#undef GALVANI_INSTRUCTION_OPERANDS

}  // namespace

StridedView view_of(const PerAxis& shape, const LoadPattern& pattern) {
  StridedView view{shape.rank, {}, {}, pattern.offset};
  std::copy(shape.values, shape.values + shape.rank, view.shape);
  std::copy(pattern.strides.values, pattern.strides.values + shape.rank, view.strides);
  return view;
}

StridedView view_of(const AttentionParams& p, size_t operand) {
  PerAxis shape = p.batch;
  shape.values[shape.rank++] = operand == 0 || operand == 3 ? p.queries : p.keys;
  shape.values[shape.rank++] = operand < 2 ? p.features : operand == 2 ? p.values : p.keys;
  return view_of(shape, p.operands[operand]);
}

StridedView gradient_view_of(const AttentionParams& p, size_t operand) {
  if (operand < 3) return view_of(p, operand);
  PerAxis shape = p.batch;
  shape.values[shape.rank++] = p.queries;
  shape.values[shape.rank++] = p.values;
  return view_of(shape, p.operands[operand]);
}

bool is_dense(const StridedView& view) {
  int64_t stride = 1;
  for (int axis = view.rank - 1; axis >= 0; --axis) {
    if (view.shape[axis] != 1 && view.strides[axis] != stride) return false;
    stride *= view.shape[axis];
  }
  return view.offset == 0;
}

bool check_operands(const Program& program, const Instruction& instruction, std::string* error) {
  Operands operands(program, instruction);
  check_instruction(instruction, operands);
  return operands.ok() || fail(error, "%s: %s", name_of(instruction.opcode), operands.error().c_str());
}

}  // namespace galvani
