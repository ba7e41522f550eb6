// What each instruction demands of its operands and parameters; mirrors the comments in lib/program/instructions.ts.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "program/checks.h"

namespace galvani {
namespace {

// The operands of one instruction. The first fault sticks.
class Operands {
 public:
  Operands(const Program& program, const Instruction& instruction) : program_(program), instruction_(instruction) {}

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  const Value& input(size_t i) const { return program_.values[instruction_.inputs[i]]; }
  const Value& output(size_t i) const { return program_.values[instruction_.outputs[i]]; }
  size_t input_count() const { return instruction_.inputs.size(); }
  size_t output_count() const { return instruction_.outputs.size(); }

  bool counts(size_t least_inputs, size_t most_inputs, size_t least_outputs, size_t most_outputs) {
    expect_count("inputs", input_count(), least_inputs, most_inputs);
    expect_count("outputs", output_count(), least_outputs, most_outputs);
    return ok();
  }

  bool counts(size_t inputs, size_t outputs) { return counts(inputs, inputs, outputs, outputs); }

  void expect_input(size_t i, DType dtype, int64_t size) { expect_value("input", i, input(i), dtype, size); }
  void expect_output(size_t i, DType dtype, int64_t size) { expect_value("output", i, output(i), dtype, size); }

  void expect(bool condition, const char* message) {
    if (!condition && ok()) error_ = message;
  }

 private:
  void expect_count(const char* what, size_t count, size_t least, size_t most) {
    if (!ok() || (count >= least && count <= most)) return;
    if (least == most) {
      fail(&error_, "expected %zu %s, got %zu", least, what, count);
    } else {
      fail(&error_, "expected %zu to %zu %s, got %zu", least, most, what, count);
    }
  }

  void expect_value(const char* what, size_t i, const Value& value, DType dtype, int64_t size) {
    if (!ok() || (value.dtype == dtype && value.size == size)) return;
    fail(&error_, "expected %s %zu to be %s of %lld elements, got %s of %lld", what, i, name_of(dtype),
         static_cast<long long>(size), name_of(value.dtype), static_cast<long long>(value.size));
  }

  const Program& program_;
  const Instruction& instruction_;
  std::string error_;
};

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

bool is_number(DType dtype) { return dtype == DType::k_float32 || dtype == DType::k_int32; }

bool is_inside(const MatrixLayout& layout, int64_t batch, int64_t rows, int64_t columns, int64_t size) {
  if (layout.transpose) std::swap(rows, columns);
  return is_inside(
      StridedView{3, {batch, rows, columns}, {layout.batch_stride, layout.leading_dimension, 1}, layout.offset}, size);
}

void check(const MatmulParams& p, Opcode, Operands& operands) {
  if (!operands.counts(2, 3, 1, 1)) return;
  operands.expect_input(0, DType::k_float32, operands.input(0).size);
  operands.expect_input(1, DType::k_float32, operands.input(1).size);
  operands.expect(is_inside(p.a, p.batch, p.m, p.k, operands.input(0).size),
                  "expected a inside its operand, got outside");
  operands.expect(is_inside(p.b, p.batch, p.k, p.n, operands.input(1).size),
                  "expected b inside its operand, got outside");
  if (operands.input_count() == 3) operands.expect_input(2, DType::k_float32, p.n);
  operands.expect_output(0, DType::k_float32, checked_product({p.batch, p.m, p.n}));
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

void check(const ElementwiseParams& p, Opcode, Operands& operands) {
  if (!operands.counts(p.operands.size(), p.operands.size(), std::max<size_t>(p.results.size(), 1), p.results.size())) {
    return;
  }
  std::vector<DType> registers;
  registers.reserve(p.operands.size() + p.code.size());
  for (size_t i = 0; i < p.operands.size(); ++i) {
    operands.expect(is_inside(p.operands[i], operands.input(i).size),
                    "expected a pattern inside its operand, got outside");
    registers.push_back(operands.input(i).dtype);
  }
  for (const MicroInstruction& micro : p.code) {
    operands.expect(is_well_typed(micro, registers),
                    "expected registers written before, of the micro-op's dtypes, got others");
    registers.push_back(result_of(micro.op, micro.dtype, micro.to));
  }
  for (size_t i = 0; i < p.results.size(); ++i) {
    const bool exists = p.results[i] >= 0 && static_cast<size_t>(p.results[i]) < registers.size();
    operands.expect(exists, "expected a register as result, got a number outside");
    if (exists) operands.expect_output(i, registers[p.results[i]], p.size);
  }
}

void check(const ViewParams& p, Opcode opcode, Operands& operands) {
  if (!operands.counts(1, 1)) return;
  const DType dtype = operands.input(0).dtype;
  if (opcode == Opcode::k_copy) {
    operands.expect(is_inside(p.view, operands.input(0).size), "expected a view inside the operand, got outside");
    operands.expect_output(0, dtype, p.size);
  } else {
    operands.expect_input(0, dtype, p.size);
    operands.expect(is_inside(p.view, operands.output(0).size), "expected targets inside the output, got outside");
    operands.expect(!operands.ok() || is_distinct(p.view), "expected distinct targets, got some twice");
    operands.expect_output(0, dtype, operands.output(0).size);
  }
}

void check(const ConcatParams& p, Opcode, Operands& operands) {
  if (!operands.counts(p.inners.size(), 1)) return;
  const DType dtype = operands.output(0).dtype;
  int64_t inner = 0;
  for (size_t i = 0; i < p.inners.size(); ++i) {
    operands.expect_input(i, dtype, checked_product({p.outer, p.inners[i]}));
    inner += p.inners[i];
  }
  operands.expect_output(0, dtype, checked_product({p.outer, inner}));
}

void check(const ReduceParams& p, Opcode, Operands& operands) {
  if (!operands.counts(1, 1)) return;
  operands.expect(is_number(operands.input(0).dtype), "expected float32 or int32, got another dtype");
  operands.expect_input(0, operands.input(0).dtype, checked_product({p.outer, p.reduced, p.inner}));
  operands.expect_output(0, operands.input(0).dtype, checked_product({p.outer, p.inner}));
}

void check(const ArgmaxParams& p, Opcode, Operands& operands) {
  if (!operands.counts(1, 1)) return;
  operands.expect(is_number(operands.input(0).dtype), "expected float32 or int32, got another dtype");
  operands.expect(p.reduced > 0 || p.outer == 0 || p.inner == 0,
                  "expected something to choose from, got an empty axis");
  operands.expect_input(0, operands.input(0).dtype, checked_product({p.outer, p.reduced, p.inner}));
  operands.expect_output(0, DType::k_int32, checked_product({p.outer, p.inner}));
}

void check(const ScanParams& p, Opcode opcode, Operands& operands) {
  const bool is_recurrence = opcode == Opcode::k_recurrence;
  if (!operands.counts(is_recurrence ? 2 : 1, 1)) return;
  const DType dtype = is_recurrence ? DType::k_float32 : operands.input(0).dtype;
  const int64_t size = checked_product({p.outer, p.length, p.inner});
  operands.expect(is_number(dtype), "expected float32 or int32, got another dtype");
  for (size_t i = 0; i < operands.input_count(); ++i) operands.expect_input(i, dtype, size);
  operands.expect_output(0, dtype, size);
}

void check(const ArgsortParams& p, Opcode, Operands& operands) {
  if (!operands.counts(1, 1)) return;
  operands.expect(is_number(operands.input(0).dtype), "expected float32 or int32, got another dtype");
  operands.expect(p.count <= p.columns, "expected at most as many as there are in a row, got more");
  operands.expect_input(0, operands.input(0).dtype, checked_product({p.rows, p.columns}));
  operands.expect_output(0, DType::k_int32, checked_product({p.rows, p.count}));
}

void check_cross_entropy(const RowsParams& p, Operands& operands) {
  if (!operands.counts(2, 2, 1, 2)) return;
  const int64_t size = checked_product({p.rows, p.columns});
  const bool has_classes = operands.input(1).dtype == DType::k_int32;
  operands.expect_input(0, DType::k_float32, size);
  operands.expect_input(1, has_classes ? DType::k_int32 : DType::k_float32, has_classes ? p.rows : size);
  operands.expect_output(0, DType::k_float32, p.rows);
  if (operands.output_count() == 2) operands.expect_output(1, DType::k_float32, size);
}

void check(const RowsParams& p, Opcode opcode, Operands& operands) {
  if (opcode == Opcode::k_softmaxCrossEntropy) return check_cross_entropy(p, operands);
  if (!operands.counts(1, 1)) return;
  operands.expect_input(0, DType::k_float32, checked_product({p.rows, p.columns}));
  operands.expect_output(0, DType::k_float32, checked_product({p.rows, p.columns}));
}

void check(const IndexParams& p, Opcode opcode, Operands& operands) {
  const bool is_scatter = opcode == Opcode::k_scatterAdd;
  if (!operands.counts(is_scatter ? 3 : 2, 1)) return;
  const DType dtype = operands.input(0).dtype;
  const int64_t size = checked_product({p.rows, p.row_size});
  const int64_t selected = checked_product({p.count, p.row_size});
  operands.expect_input(0, dtype, size);
  operands.expect_input(1, DType::k_int32, p.count);
  if (is_scatter) {
    operands.expect(is_number(dtype), "expected float32 or int32, got another dtype");
    operands.expect_input(2, dtype, selected);
  }
  operands.expect_output(0, dtype, is_scatter ? size : selected);
}

void check(const AlongAxisParams& p, Opcode opcode, Operands& operands) {
  const bool is_scatter = opcode == Opcode::k_scatterAlongAxis;
  if (!operands.counts(is_scatter ? 3 : 2, 1)) return;
  const DType dtype = operands.input(0).dtype;
  const int64_t size = checked_product({p.outer, p.rows, p.inner});
  const int64_t selected = checked_product({p.outer, p.count, p.inner});
  operands.expect(!p.accumulate || is_number(dtype), "expected float32 or int32, got another dtype");
  operands.expect_input(0, dtype, size);
  operands.expect_input(1, DType::k_int32, selected);
  if (is_scatter) operands.expect_input(2, dtype, selected);
  operands.expect_output(0, dtype, is_scatter ? size : selected);
}

bool has_adjacent_columns(const StridedView& view) {
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.strides[axis] < 0) return false;
  }
  return view.shape[view.rank - 1] <= 1 || view.strides[view.rank - 1] == 1;
}

void check(const AttentionParams& p, Opcode, Operands& operands) {
  if (!operands.counts(3, 4, 2, 2)) return;
  operands.expect(p.operands.size() == operands.input_count(),
                  "expected a pattern for each operand, got another number");
  if (!operands.ok()) return;
  for (size_t i = 0; i < p.operands.size(); ++i) {
    const Value& input = operands.input(i);
    const bool is_bool = i == 3 && input.dtype == DType::k_bool;
    operands.expect_input(i, is_bool ? DType::k_bool : DType::k_float32, input.size);
    operands.expect(is_inside(p.operands[i], input.size), "expected a pattern inside its operand, got outside");
    operands.expect(i == 3 || has_adjacent_columns(p.operands[i]),
                    "expected adjacent columns and no negative strides, got others");
  }
  operands.expect_output(0, DType::k_float32, checked_product({p.batch, p.queries, p.values}));
  operands.expect_output(1, DType::k_float32, checked_product({p.batch, p.queries}));
}

// Mirrors `distributionParameters` in lib/program/instructions.ts.
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

// A float32 output for each size.
void expect_outputs(Operands& operands, std::initializer_list<int64_t> sizes) {
  size_t i = 0;
  for (const int64_t size : sizes) operands.expect_output(i++, DType::k_float32, size);
}

void check(const MatricesParams& p, Opcode opcode, Operands& operands) {
  const int64_t size = checked_product({p.batch, p.rows, p.columns}), k = std::min(p.rows, p.columns);
  const bool is_system = opcode == Opcode::k_solve || opcode == Opcode::k_triangularSolve;
  const bool has_one_output = is_system || opcode == Opcode::k_cholesky;
  const bool has_three_outputs = opcode == Opcode::k_determinant || opcode == Opcode::k_svd;
  if (!operands.counts(is_system ? 2 : 1, has_one_output ? 1 : has_three_outputs ? 3 : 2)) return;
  operands.expect_input(0, DType::k_float32, is_system ? checked_product({p.batch, p.rows, p.rows}) : size);
  if (is_system) operands.expect_input(1, DType::k_float32, size);
  const int64_t left = checked_product({p.batch, p.rows, k}), right = checked_product({p.batch, k, p.columns});
  const int64_t values = checked_product({p.batch, k});
  switch (opcode) {
    case Opcode::k_determinant: return expect_outputs(operands, {p.batch, p.batch, p.batch});
    case Opcode::k_qr: return expect_outputs(operands, {left, right});
    case Opcode::k_eigh: return expect_outputs(operands, {values, size});
    case Opcode::k_svd: return expect_outputs(operands, {left, values, right});
    default: return expect_outputs(operands, {size});
  }
}

void check(const RandomParams& p, Opcode, Operands& operands) {
  if (!operands.counts(1 + parameter_count(p.distribution), 1)) return;
  const DType dtype = p.distribution == Distribution::k_integer ? DType::k_int32 : DType::k_float32;
  const int64_t size = operands.output(0).size;
  operands.expect_input(0, DType::k_int32, 2);
  for (size_t i = 1; i < operands.input_count(); ++i) {
    operands.expect_input(i, dtype, operands.input(i).size == 1 ? 1 : size);
  }
  operands.expect_output(0, dtype, size);
}

// `tensors` operands of `size` elements, then scalars.
void check_update(int64_t size, size_t tensors, size_t scalars, size_t outputs, Operands& operands) {
  if (!operands.counts(tensors + scalars, outputs)) return;
  for (size_t i = 0; i < tensors; ++i) operands.expect_input(i, DType::k_float32, size);
  for (size_t i = tensors; i < tensors + scalars; ++i) operands.expect_input(i, DType::k_float32, 1);
  for (size_t i = 0; i < outputs; ++i) operands.expect_output(i, DType::k_float32, size);
}

void check(const SgdParams& p, Opcode, Operands& operands) { check_update(p.size, 2, 1, 1, operands); }
void check(const MomentumParams& p, Opcode, Operands& operands) { check_update(p.size, 3, 1, 2, operands); }
void check(const AdamParams& p, Opcode, Operands& operands) { check_update(p.size, 4, 2, 3, operands); }

// Windows have elements and move on, and none reaches further than 32 bits count.
void check_windows(const Windows& w, Operands& operands) {
  const int64_t least =
      std::min({w.kernel_height, w.kernel_width, w.stride_height, w.stride_width, w.dilation_height, w.dilation_width});
  operands.expect(least >= 1, "expected a kernel, strides and dilations of at least 1, got less");
  if (!operands.ok()) return;
  const int64_t reach = checked_product({rows_reached(w, w.out_height), columns_reached(w, w.out_width)});
  operands.expect(reach <= INT32_MAX, "expected windows that reach over as many elements as 32 bits count, got more");
}

void check(const ConvolutionParams& p, Opcode opcode, Operands& operands) {
  const bool is_forward = opcode == Opcode::k_conv2d;
  if (!operands.counts(2, is_forward ? 3 : 2, 1, 1)) return;
  check_windows(p.windows, operands);
  const Windows& w = p.windows;
  const int64_t x = checked_product({p.batch, p.groups, p.channels, w.height, w.width});
  const int64_t weight = checked_product({p.groups, p.filters, p.channels, w.kernel_height, w.kernel_width});
  const int64_t y = checked_product({p.batch, p.groups, p.filters, w.out_height, w.out_width});
  const bool has_weight = opcode != Opcode::k_conv2dWeightGradient;
  operands.expect_input(0, DType::k_float32, opcode == Opcode::k_conv2dInputGradient ? y : x);
  operands.expect_input(1, DType::k_float32, has_weight ? weight : y);
  if (operands.input_count() == 3) operands.expect_input(2, DType::k_float32, checked_product({p.groups, p.filters}));
  operands.expect_output(0, DType::k_float32, is_forward ? y : has_weight ? x : weight);
}

void check(const PoolingParams& p, Opcode opcode, Operands& operands) {
  if (!operands.counts(2, 1)) return;
  check_windows(p.windows, operands);
  const int64_t in = checked_product({p.planes, p.windows.height, p.windows.width});
  const int64_t out = checked_product({p.planes, p.windows.out_height, p.windows.out_width});
  const bool is_forward = opcode == Opcode::k_maxPool2d;
  operands.expect_input(0, DType::k_float32, in);
  operands.expect_input(1, DType::k_float32, is_forward ? in : out);
  operands.expect_output(0, DType::k_float32, is_forward ? out : in);
}

}  // namespace

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
  std::visit([&](const auto& params) { check(params, instruction.opcode, operands); }, instruction.params);
  return operands.ok() || fail(error, "%s: %s", name_of(instruction.opcode), operands.error().c_str());
}

}  // namespace galvani
