#include "executor/chain_plan.h"

#include <algorithm>

#include "executor/element_group.h"

namespace galvani::chain {
namespace {

constexpr int64_t kLeastRow = 64;  // shorter ones would be mostly the vectors at their end

// The rows that operands have in common.
class Rows {
 public:
  // False where operands of these views have none.
  bool find(const std::vector<StridedView>& views, int64_t count) {
    int64_t shortest = 0;
    for (const StridedView& view : views) {
      if (is_column(view)) {
        if (length_ > 0 && length_ != row_length(view)) return false;
        length_ = row_length(view);
      } else if (is_row(view)) {
        shortest = shortest == 0 ? row_length(view) : std::min(shortest, row_length(view));
      } else if (!is_contiguous(view) && !is_one_element(view)) {
        return false;
      }
    }
    if (length_ == 0) length_ = shortest;
    if (length_ == 0) length_ = std::max<int64_t>(count, 1);
    else if (length_ < kLeastRow) return false;
    return std::all_of(views.begin(), views.end(),
                       [&](const StridedView& view) { return !is_row(view) || row_length(view) % length_ == 0; });
  }

  int64_t length() const { return length_; }

  Operand operand_of(const StridedView& view, const Location& location) const {
    if (is_one_element(view)) return {location, false, 0, 0};
    if (is_column(view)) return {location, false, column_stride(view), view.rank == 3 ? column_length(view) : 0};
    const int64_t period = is_row(view) ? row_length(view) / length_ : 0;
    return {location, true, period == 1 ? 0 : length_, period == 1 ? 0 : period};
  }

 private:
  int64_t length_ = 0;
};

// The four codes of an operation, by where its operand is.
enum Place { kArray, kScalar, kFirst, kSecond, kNowhere };

ChainCode with(ChainCode code, Place place) { return static_cast<ChainCode>(static_cast<int32_t>(code) + place); }

// Values are operands and results of micro-ops, as registers of the group are.
class Compiler {
 public:
  Compiler(const ElementwiseParams& params, Plan* plan)
      : params_(params), operand_count_(static_cast<int32_t>(params.operands.size())), plan_(*plan) {}

  bool compile() {
    find_last_reads();
    for (size_t i = 0; i < params_.code.size(); ++i) {
      at_ = static_cast<int32_t>(i);
      if (!add(params_.code[i]) || !store_result()) return false;
    }
    return true;
  }

 private:
  static constexpr int32_t kNone = -1;

  // A condition's operands are read where it is.
  void find_last_reads() {
    last_read_.assign(operand_count_ + params_.code.size(), kNone);
    for (size_t i = 0; i < params_.code.size(); ++i) {
      const MicroInstruction& micro = params_.code[i];
      note_reads(micro, static_cast<int32_t>(i));
      const int32_t condition = micro.args[0];
      if (micro.op == MicroOp::k_where && !is_operand(condition)) {
        note_reads(params_.code[condition - operand_count_], static_cast<int32_t>(i));
      }
    }
  }

  void note_reads(const MicroInstruction& micro, int32_t at) {
    for (const int32_t arg : micro.args) {
      if (arg >= 0) last_read_[arg] = at;
    }
  }

  bool is_operand(int32_t value) const { return value < operand_count_; }
  bool is_element(int32_t value) const { return is_operand(value) && !plan_.operands[value].is_array; }
  int32_t result() const { return operand_count_ + at_; }

  bool add(const MicroInstruction& micro) {
    const auto [a, b, c] = micro.args;
    if (micro.dtype != DType::k_float32) return false;
    switch (micro.op) {
      case MicroOp::k_add: return binary(ChainCode::k_add, ChainCode::k_add, a, b);
      case MicroOp::k_sub: return binary(ChainCode::k_sub, ChainCode::k_sub_from, a, b);
      case MicroOp::k_mul:
        return a == b ? unary(ChainCode::k_square, a) : binary(ChainCode::k_mul, ChainCode::k_mul, a, b);
      case MicroOp::k_neg: return unary(ChainCode::k_neg, a);
      case MicroOp::k_square: return unary(ChainCode::k_square, a);
      case MicroOp::k_relu: return unary(ChainCode::k_relu, a);
      case MicroOp::k_greater: return true;  // is found by the `where` that reads it
      case MicroOp::k_where: return keep_where(a, b, c);
      default: return false;
    }
  }

  bool unary(ChainCode code, int32_t a) {
    if (!bring(a)) return false;
    emit({code});
    accumulator_ = result();
    return true;
  }

  bool binary(ChainCode code, ChainCode reversed, int32_t a, int32_t b) {
    if (b == accumulator_ && a != b) {
      std::swap(a, b);
      code = reversed;
    }
    if (a == b && place_of(a) == kNowhere && !set_aside(a)) return false;
    if (!bring(a)) return false;
    const Place place = place_of(b);
    if (place == kNowhere) return false;
    emit({with(code, place), is_operand(b) ? b : 0});
    accumulator_ = result();
    return true;
  }

  // where(greater(array, element), value, element).
  bool keep_where(int32_t condition, int32_t value, int32_t other) {
    if (is_operand(condition)) return false;
    const MicroInstruction& greater = params_.code[condition - operand_count_];
    const auto [x, threshold, none] = greater.args;
    if (greater.op != MicroOp::k_greater || greater.dtype != DType::k_float32) return false;
    if (!is_operand(x) || is_element(x) || !is_element(threshold) || !is_element(other)) return false;
    if (!bring(value)) return false;
    emit({ChainCode::k_keep_where_greater, x, threshold, other});
    accumulator_ = result();
    return true;
  }

  Place place_of(int32_t value) const {
    if (is_operand(value)) return is_element(value) ? kScalar : kArray;
    if (value == saved_[0]) return kFirst;
    return value == saved_[1] ? kSecond : kNowhere;
  }

  // A copy of the accumulator, whose value is `value`, in a register that nothing more is read of.
  bool set_aside(int32_t value) {
    for (int i = 0; i < 2; ++i) {
      if (saved_[i] != kNone && last_read_[saved_[i]] >= at_) continue;
      saved_[i] = value;
      emit({i == 0 ? ChainCode::k_save_first : ChainCode::k_save_second});
      return true;
    }
    return false;
  }

  // Makes the accumulator `value`; what it was, or is and is read later, is set aside.
  bool bring(int32_t value) {
    const bool is_here = accumulator_ == value;
    const bool is_needed = accumulator_ != kNone && last_read_[accumulator_] >= at_ + (is_here ? 1 : 0);
    if (is_needed && place_of(accumulator_) == kNowhere && !set_aside(accumulator_)) return false;
    if (is_here) return true;
    const Place place = place_of(value);
    if (place == kNowhere) return false;
    emit({with(ChainCode::k_load, place), is_operand(value) ? value : 0});
    accumulator_ = value;
    return true;
  }

  // What is stored may lie where an operand does, which then must have been read.
  bool store_result() {
    for (size_t i = 0; i < params_.results.size(); ++i) {
      if (params_.results[i] < operand_count_) return false;
      if (params_.results[i] != result()) continue;
      if (accumulator_ != result()) return false;
      const int32_t output = operand_count_ + static_cast<int32_t>(i);
      for (int32_t operand = 0; operand < operand_count_; ++operand) {
        const bool is_same = plan_.operands[operand].location == plan_.operands[output].location;
        if (is_same && last_read_[operand] > at_) return false;
      }
      emit({ChainCode::k_store, output});
    }
    return true;
  }

  void emit(const ChainStep& step) { plan_.steps.push_back(step); }

  const ElementwiseParams& params_;
  const int32_t operand_count_;
  Plan& plan_;
  std::vector<int32_t> last_read_;  // by value, the micro-op
  int32_t accumulator_ = kNone;     // the value that is in it
  int32_t saved_[2] = {kNone, kNone};
  int32_t at_ = 0;  // the micro-op that is compiled
};

bool is_float32(const Preparation& preparation, const std::vector<int32_t>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](int32_t value) { return preparation.program.values[value].dtype == DType::k_float32; });
}

}  // namespace

bool make_plan(const Preparation& preparation, const Instruction& instruction, Plan* plan) {
  const auto& params = std::get<ElementwiseParams>(instruction.params);
  if (params.code.size() < 2 || params.operands.size() + params.results.size() > kMostChainOperands) return false;
  if (!is_float32(preparation, instruction.inputs) || !is_float32(preparation, instruction.outputs)) return false;
  std::vector<StridedView> views;
  for (const LoadPattern& pattern : params.operands) views.push_back(collapse(view_of(params.shape, pattern)));
  plan->count = size_of(params.shape);
  Rows rows;
  if (!rows.find(views, plan->count)) return false;
  plan->length = rows.length();
  for (size_t i = 0; i < views.size(); ++i) {
    Location location = preparation.input(instruction, i);
    location.offset += views[i].offset * static_cast<int64_t>(sizeof(float));
    plan->operands.push_back(rows.operand_of(views[i], location));
  }
  for (size_t i = 0; i < params.results.size(); ++i) {
    plan->operands.push_back({preparation.output(instruction, i), true, plan->length, 0});
  }
  for (const Operand& operand : plan->operands) {
    if (operand.is_array) plan->nanoseconds += sizeof(float) * cost::kPerByte;
  }
  for (const MicroInstruction& micro : params.code) plan->nanoseconds += facts_of(micro.op).nanoseconds;
  return Compiler(params, plan).compile();
}

}  // namespace galvani::chain
