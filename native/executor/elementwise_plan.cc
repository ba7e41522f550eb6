#include "executor/elementwise_plan.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/numbers.h"
#include "executor/element_group.h"

namespace galvani::elementwise {
namespace {

// Chooses where every register lives.
class Planner {
 public:
  Planner(Preparation& preparation, const Instruction& instruction, Plan* plan)
      : preparation_(preparation),
        instruction_(instruction),
        params_(std::get<ElementwiseParams>(instruction.params)),
        operand_count_(params_.operands.size()),
        plan_(*plan) {}

  bool build() {
    for (size_t i = 0; i < operand_count_; ++i) add_operand(i);
    for (size_t i = 0; i < params_.results.size(); ++i) add_output(i);
    choose_scalars();
    choose_block();
    find_last_reads();
    assign_homes();
    stage_overwritten_operands();
    for (size_t i = 0; i < operand_count_; ++i) give_slot_to_operand(i);
    for (size_t i = 0; i < params_.code.size(); ++i) {
      if (!add_micro(i)) return false;
    }
    bind_late_entries();
    for (const int64_t bytes : register_bytes_) plan_.slot_width = std::max(plan_.slot_width, bytes);
    choose_split();
    return true;
  }

 private:
  static constexpr int32_t kReadAtEnd = std::numeric_limits<int32_t>::max();

  void add_operand(size_t i) {
    const DType dtype = preparation_.input_dtype(instruction_, i);
    Operand operand;
    operand.bytes = element_bytes(dtype);
    operand.view = collapse(view_of(params_.shape, params_.operands[i]));
    operand.location = preparation_.input(instruction_, i);
    operand.location.offset += operand.view.offset * operand.bytes;
    operand.view.offset = 0;
    operand.load = load_of(operand.view);
    plan_.operands.push_back(operand);
    register_bytes_.push_back(operand.bytes);
  }

  static Load load_of(const StridedView& view) {
    if (is_contiguous(view)) return Load::k_direct;
    if (is_one_element(view)) return Load::k_prepared;
    if (is_row(view)) return Load::k_row;
    if (is_column(view)) return Load::k_column;
    return Load::k_strided;
  }

  void add_output(size_t i) {
    plan_.outputs.push_back(preparation_.output(instruction_, i));
    plan_.output_bytes.push_back(element_bytes(preparation_.program.values[instruction_.outputs[i]].dtype));
  }

  static bool needs_no_slot(const Operand& operand) {
    return is_scalar(operand) || operand.load == Load::k_in_row || operand.load == Load::k_direct;
  }
  static bool is_scalar(const Operand& operand) {
    return operand.load == Load::k_scalar || operand.load == Load::k_row_scalar;
  }

  const MicroKernel* scalar_kernel(const MicroInstruction& micro, int arg) const {
    return &preparation_.kernels.micro_scalar[arg][static_cast<int>(micro.op)][static_cast<int>(micro.dtype)];
  }

  // Whether every reader of an operand has a kernel that takes one element for it, beside an array.
  bool can_be_scalar(int32_t operand) const {
    for (const int64_t result : params_.results) {
      if (result == operand) return false;
    }
    for (const MicroInstruction& micro : params_.code) {
      for (int arg = 0; arg < 3; ++arg) {
        if (micro.args[arg] != operand) continue;
        if (arg == 2 || *scalar_kernel(micro, arg) == nullptr) return false;
        const int32_t other = micro.args[1 - arg];
        if (other == operand) return false;
        if (static_cast<size_t>(other) < operand_count_ && is_scalar(plan_.operands[other])) return false;
      }
    }
    return true;
  }

  void choose_scalars() {
    for (size_t i = 0; i < operand_count_; ++i) {
      Operand& operand = plan_.operands[i];
      const bool is_one_element = operand.load == Load::k_prepared && operand.view.rank == 1;
      if (is_one_element && can_be_scalar(static_cast<int32_t>(i))) operand.load = Load::k_scalar;
    }
  }

  static constexpr int64_t kShortRow = 256, kLongRows = 1 << 15;

  // Of an operand of columns whose rows are short: all of them, where they are long enough to stay in, and not too long
  // to be filled.
  static int64_t rows_length(const StridedView& view) {
    if (view.rank != 3 || row_length(view) >= kShortRow) return 0;
    const int64_t length = column_length(view) * row_length(view);
    return length >= kShortRow && length <= kLongRows ? length : 0;
  }

  // Blocks that stay in a row see an operand of rows in its place, and one of columns as a scalar. Where rows are
  // short, blocks that begin where they do let them be prepared.
  void choose_block() {
    int64_t period = 0;
    for (const Operand& operand : plan_.operands) {
      const bool is_row = operand.load == Load::k_row, is_column = operand.load == Load::k_column;
      if (!is_row && !is_column) continue;
      const int64_t rows = is_column ? rows_length(operand.view) : 0;
      const int64_t length = rows > 0 ? rows : row_length(operand.view);
      if (period == 0 || (is_row && length < kShortRow)) period = length;
    }
    plan_.prepared_block = plan_.block;
    if (period == 0) return;
    if (period >= kShortRow) plan_.row = period;
    plan_.block = period >= kShortRow ? std::min(period, kBlock) : kBlock / period * period;
    plan_.prepared_block = plan_.block;
    for (size_t i = 0; i < operand_count_; ++i) {
      Operand& operand = plan_.operands[i];
      const bool is_row = operand.load == Load::k_row, is_column = operand.load == Load::k_column;
      if (is_column && plan_.row > 0 && rows_length(operand.view) == period) {
        operand.load = Load::k_in_rows;
        plan_.prepared_block = std::max(plan_.prepared_block, period);
      }
      if ((!is_row && !is_column) || row_length(operand.view) != period) continue;
      if (is_row) operand.load = plan_.row > 0 ? Load::k_in_row : Load::k_prepared;
      if (is_column && plan_.row > 0 && can_be_scalar(static_cast<int32_t>(i))) {
        operand.load = Load::k_row_scalar;
      }
    }
  }

  void find_last_reads() {
    last_read_.assign(operand_count_ + params_.code.size(), -1);
    for (size_t i = 0; i < params_.code.size(); ++i) {
      for (const int32_t arg : params_.code[i].args) {
        if (arg >= 0) last_read_[arg] = static_cast<int32_t>(i);
      }
    }
  }

  // The first output of a micro-op's result is where it is computed; others are copied at the end of the block.
  void assign_homes() {
    home_.assign(last_read_.size(), -1);
    for (size_t i = 0; i < params_.results.size(); ++i) {
      const int64_t result = params_.results[i];
      const bool is_computed = static_cast<size_t>(result) >= operand_count_;
      if (is_computed && home_[result] < 0) {
        home_[result] = static_cast<int32_t>(operand_count_ + i);
      } else {
        copied_.push_back(i);
      }
    }
    for (const size_t i : copied_) last_read_[params_.results[i]] = kReadAtEnd;
  }

  // An operand that is read after an output has been written over it is set aside at the start of the block.
  void stage_overwritten_operands() {
    for (size_t output = 0; output < plan_.outputs.size(); ++output) {
      const int64_t result = params_.results[output];
      const bool is_home = home_[result] == static_cast<int32_t>(operand_count_ + output);
      const int32_t written_at = is_home ? result - static_cast<int32_t>(operand_count_) : kReadAtEnd - 1;
      for (size_t i = 0; i < operand_count_; ++i) {
        Operand& operand = plan_.operands[i];
        const bool is_itself = !is_home && result == static_cast<int32_t>(i);
        const bool is_overwritten = operand.load == Load::k_direct && operand.location == plan_.outputs[output];
        if (is_overwritten && !is_itself && last_read_[i] > written_at) operand.is_staged = true;
      }
    }
  }

  void give_slot_to_operand(size_t i) {
    Operand& operand = plan_.operands[i];
    if (operand.load == Load::k_prepared || operand.load == Load::k_in_rows) {
      operand.slot = plan_.prepared++;
    } else if (!needs_no_slot(operand) || operand.is_staged) {
      operand.slot = take_slot();
    }
    entries_.push_back(static_cast<int32_t>(i));
    slot_of_.push_back(-1);
  }

  bool add_micro(size_t i) {
    const MicroInstruction& micro = params_.code[i];
    const int from = static_cast<int>(micro.dtype), to = static_cast<int>(micro.to);
    MicroKernel kernel = micro.op == MicroOp::k_cast ? preparation_.kernels.cast[from][to]
                                                     : preparation_.kernels.micro[static_cast<int>(micro.op)][from];
    for (int arg = 0; arg < 2; ++arg) {
      const int32_t reg = micro.args[arg];
      if (reg >= 0 && static_cast<size_t>(reg) < operand_count_ && is_scalar(plan_.operands[reg])) {
        kernel = *scalar_kernel(micro, arg);
      }
    }
    if (kernel == nullptr) {
      preparation_.error = std::string("no kernel for ") + name_of(micro.op) + " of " + name_of(micro.dtype);
      return false;
    }
    register_bytes_.push_back(element_bytes(result_of(micro.op, micro.dtype, micro.to)));
    Micro prepared{kernel, {kNull, kNull, kNull}, 0};
    for (int k = 0; k < 3; ++k) {
      if (micro.args[k] >= 0) prepared.args[k] = entries_[micro.args[k]];
    }
    place_result(static_cast<int32_t>(i));
    prepared.target = entries_.back();
    plan_.code.push_back(prepared);
    return true;
  }

  // In its output; else in the block of an argument that is read here for the last time; else in a free block.
  void place_result(int32_t at) {
    const int32_t result = static_cast<int32_t>(operand_count_) + at;
    int32_t slot = -1;
    if (home_[result] < 0) slot = inherit_slot(at, register_bytes_[result]);
    if (home_[result] < 0 && slot < 0) slot = take_slot();
    for (const int32_t arg : params_.code[at].args) {
      if (arg >= 0 && last_read_[arg] == at) free_slot(arg);
    }
    entries_.push_back(home_[result] >= 0 ? home_[result] : slot_entry(slot));
    slot_of_.push_back(slot);
    if (last_read_[result] < 0) free_slot(result);
  }

  int32_t inherit_slot(int32_t at, int64_t bytes) {
    for (const int32_t arg : params_.code[at].args) {
      if (arg < 0 || last_read_[arg] != at || slot_of_[arg] < 0 || register_bytes_[arg] != bytes) continue;
      return std::exchange(slot_of_[arg], -1);
    }
    return -1;
  }

  int32_t take_slot() {
    if (free_slots_.empty()) return plan_.slots++;
    const int32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }

  void free_slot(int32_t reg) {
    if (slot_of_[reg] >= 0) free_slots_.push_back(std::exchange(slot_of_[reg], -1));
  }

  int32_t slot_entry(int32_t slot) const { return static_cast<int32_t>(operand_count_ + plan_.outputs.size()) + slot; }

  // The entry after the last slot holds null, and only now it is known which one that is.
  void bind_late_entries() {
    for (Micro& micro : plan_.code) {
      for (int32_t& arg : micro.args) {
        if (arg == kNull) arg = slot_entry(plan_.slots);
      }
    }
    for (const size_t i : copied_) {
      plan_.copies.push_back(
          {entries_[params_.results[i]], static_cast<int32_t>(operand_count_ + i), plan_.output_bytes[i]});
    }
  }

  void choose_split() {
    const bool is_one_call = plan_.code.size() <= 1 && plan_.slots == 0 && plan_.prepared == 0 && plan_.row == 0;
    plan_.split = split_work(size_of(params_.shape), is_one_call ? kCacheLine : plan_.block, nanoseconds_per_element());
    if (is_one_call) plan_.block = plan_.split.grain;
  }

  double nanoseconds_per_element() const {
    double sum = 0;
    for (const Operand& operand : plan_.operands) {
      if (operand.load == Load::k_direct) sum += operand.bytes * cost::kPerByte;
      if (operand.load == Load::k_strided) sum += cost::kPerStridedElement;
    }
    for (const int64_t bytes : plan_.output_bytes) sum += bytes * cost::kPerByte;
    for (const MicroInstruction& micro : params_.code) sum += facts_of(micro.op).nanoseconds;
    return sum;
  }

  static constexpr int32_t kNull = -1;

  Preparation& preparation_;
  const Instruction& instruction_;
  const ElementwiseParams& params_;
  const size_t operand_count_;
  Plan& plan_;
  std::vector<size_t> copied_;           // outputs that are not the home of their result
  std::vector<int64_t> register_bytes_;  // by register, as are the next four
  std::vector<int32_t> last_read_;       // the micro-instruction
  std::vector<int32_t> home_;            // the entry of the output that it is computed in
  std::vector<int32_t> entries_;
  std::vector<int32_t> slot_of_;  // the slot that it will give back
  std::vector<int32_t> free_slots_;
};

}  // namespace

bool make_plan(Preparation& preparation, const Instruction& instruction, Plan* plan) {
  return Planner(preparation, instruction, plan).build();
}

}  // namespace galvani::elementwise
