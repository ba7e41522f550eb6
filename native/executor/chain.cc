// An elementwise group of cheap micro-ops, whose values between two of them stay in registers.
#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "executor/chain_plan.h"
#include "executor/element_group.h"
#include "executor/families.h"

namespace galvani {
namespace {

using chain::Operand;
using chain::Plan;

class PreparedChain final : public ElementGroup {
 public:
  PreparedChain(decltype(KernelTable::chain) kernel, Plan plan)
      : ElementGroup(split_of(plan)), kernel_(kernel), plan_(std::move(plan)) {
    for (const Operand& operand : plan_.operands) row_strides_.push_back(operand.row_stride);
  }

 private:
  // Whole rows where some of them are worth a task.
  static Split split_of(const Plan& plan) {
    const bool has_short_rows = plan.length <= kLongRow;
    return split_work(plan.count, has_short_rows ? plan.length : kCacheLineElements, plan.nanoseconds);
  }

  void run_range(const Run& run, int64_t begin, int64_t end, int /* thread */) const override {
    while (begin < end) {
      const int64_t row = begin / plan_.length, phase = begin % plan_.length;
      const int64_t left = std::min(plan_.length - phase, end - begin);
      const int64_t rows = left == plan_.length ? rows_from(row, (end - begin) / plan_.length) : 1;
      run_rows(run, row, phase, rows, left);
      begin += rows * left;
    }
  }

  // How many of the rows from `row` on find operands that follow each other.
  int64_t rows_from(int64_t row, int64_t rows) const {
    for (const Operand& operand : plan_.operands) {
      if (operand.period > 0) rows = std::min(rows, operand.period - row % operand.period);
    }
    return rows;
  }

  void run_rows(const Run& run, int64_t row, int64_t phase, int64_t rows, int64_t length) const {
    float* operands[kMostChainOperands];
    float** at = operands;
    for (const Operand& operand : plan_.operands) {
      const int64_t index = operand.period > 0 ? row % operand.period : row;
      *at++ = operand.location.in<float>(run) + index * operand.row_stride + (operand.is_array ? phase : 0);
    }
    kernel_({plan_.steps.data(), static_cast<int64_t>(plan_.steps.size()), operands, row_strides_.data(),
             static_cast<int64_t>(row_strides_.size()), rows, length});
  }

  static constexpr int64_t kLongRow = 4096;

  decltype(KernelTable::chain) kernel_;
  Plan plan_;
  std::vector<int64_t> row_strides_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_chain(const Preparation& preparation, const Instruction& instruction) {
  Plan plan;
  if (!chain::make_plan(preparation, instruction, &plan)) return nullptr;
  return std::make_unique<PreparedChain>(preparation.kernels.chain, std::move(plan));
}

}  // namespace galvani
