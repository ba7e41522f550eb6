// A fused elementwise group: a straight-line program of micro-ops that runs block by block, so that what lies between
// two micro-ops stays in the first-level cache. Dense operands and outputs are used where they are; everything else
// passes through scratch blocks.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/numbers.h"
#include "executor/element_group.h"
#include "executor/elementwise_plan.h"
#include "executor/families.h"

namespace galvani {
namespace {

using elementwise::Copy;
using elementwise::Load;
using elementwise::Micro;
using elementwise::Operand;
using elementwise::Plan;

template <typename T>
void fill(void* out, const void* value, int64_t n) {
  std::fill_n(static_cast<T*>(out), n, *static_cast<const T*>(value));
}

void fill(void* out, const void* value, int64_t element_bytes, int64_t n) {
  if (element_bytes == 8) fill<uint64_t>(out, value, n);
  else if (element_bytes == 4) fill<uint32_t>(out, value, n);
  else fill<uint8_t>(out, value, n);
}

// The elements [begin, end) of a view of a column.
void load_column(const Operand& operand, const uint8_t* x, uint8_t* out, int64_t begin, int64_t end) {
  const int64_t period = row_length(operand.view), count = column_length(operand.view);
  const int64_t stride = column_stride(operand.view) * operand.bytes;
  int64_t row = begin / period % count, left = period - begin % period;
  while (begin < end) {
    const int64_t n = std::min(left, end - begin);
    fill(out, x + row * stride, operand.bytes, n);
    out += n * operand.bytes;
    begin += n;
    left = period;
    if (++row == count) row = 0;
  }
}

// What runs at once: elements [begin, end); where blocks stay in a row, of which row and from where in it.
struct Block {
  int64_t begin, end, row, phase;
};

class PreparedElementwise final : public ElementGroup {
 public:
  PreparedElementwise(decltype(KernelTable::copy) copy, Plan plan)
      : ElementGroup(plan.split), copy_(copy), plan_(std::move(plan)) {}

  int64_t workspace_bytes(int threads) const override { return prepared_bytes() + threads * thread_bytes(); }

  void begin(Run& run) const override { fill_prepared(run); }
  // The rows that are filled once begin where those of the block do.
  int64_t unit() const override {
    for (const Operand& operand : plan_.operands) {
      if (operand.load == Load::k_prepared && operand.view.rank > 1) return row_length(operand.view);
    }
    return 1;
  }

 private:
  int64_t slot_bytes() const { return bytes_of(plan_.block); }
  int64_t prepared_slot_bytes() const { return bytes_of(plan_.prepared_block); }
  int64_t bytes_of(int64_t elements) const {
    return round_up(std::min(elements, plan_.split.count) * plan_.slot_width, kCacheLine);
  }
  int64_t prepared_bytes() const { return plan_.prepared * prepared_slot_bytes(); }
  int64_t thread_bytes() const { return table_bytes() + plan_.slots * slot_bytes(); }
  int64_t table_bytes() const {
    return round_up((plan_.operands.size() + plan_.outputs.size() + plan_.slots + 1) * sizeof(void*), kCacheLine);
  }

  uint8_t* prepared_block(const Run& run, const Operand& operand) const {
    return run.workspace + operand.slot * prepared_slot_bytes();
  }

  void fill_prepared(const Run& run) const {
    const int64_t n = std::min(plan_.block, plan_.split.count);
    for (const Operand& operand : plan_.operands) {
      if (operand.load != Load::k_prepared && operand.load != Load::k_in_rows) continue;
      uint8_t* const out = prepared_block(run, operand);
      const uint8_t* const x = operand.location.in<const uint8_t>(run);
      if (operand.load == Load::k_in_rows) {
        load_column(operand, x, out, 0, std::min(plan_.row, plan_.split.count));
        continue;
      }
      if (operand.view.rank == 1) {
        fill(out, x, operand.bytes, n);
        continue;
      }
      const int64_t period = operand.view.shape[1];
      for (int64_t at = 0; at < n; at += period) {
        std::memcpy(out + at * operand.bytes, x, std::min(period, n - at) * operand.bytes);
      }
    }
  }

  void run_range(const Run& run, int64_t begin, int64_t end, int thread) const override {
    uint8_t* const scratch = run.workspace + prepared_bytes() + thread * thread_bytes();
    void** const table = reinterpret_cast<void**>(scratch);
    void** const slots = table + plan_.operands.size() + plan_.outputs.size();
    for (int32_t slot = 0; slot < plan_.slots; ++slot) slots[slot] = scratch + table_bytes() + slot * slot_bytes();
    slots[plan_.slots] = nullptr;
    const int64_t length = plan_.row > 0 ? plan_.row : plan_.split.count;
    Block block{begin, begin, begin / length, begin % length};
    while (block.begin < end) {
      block.end = std::min({block.begin + plan_.block, block.begin + length - block.phase, end});
      run_block(run, table, slots, block);
      block.phase += block.end - block.begin;
      block.begin = block.end;
      if (block.phase < length) continue;
      block.phase = 0;
      ++block.row;
    }
  }

  void run_block(const Run& run, void** table, void** slots, const Block& block) const {
    const int64_t size = block.end - block.begin;
    void** entry = table;
    for (const Operand& operand : plan_.operands) *entry++ = load(run, operand, slots, block);
    for (size_t i = 0; i < plan_.outputs.size(); ++i) {
      *entry++ = plan_.outputs[i].in<uint8_t>(run) + block.begin * plan_.output_bytes[i];
    }
    for (const Micro& micro : plan_.code) {
      micro.kernel(table[micro.args[0]], table[micro.args[1]], table[micro.args[2]], table[micro.target], size);
    }
    for (const Copy& copy : plan_.copies) {
      if (table[copy.to] != table[copy.from]) std::memcpy(table[copy.to], table[copy.from], size * copy.bytes);
    }
  }

  static int64_t scalar_of_row(const Operand& operand, int64_t row) {
    return row % column_length(operand.view) * column_stride(operand.view) * operand.bytes;
  }

  void* load(const Run& run, const Operand& operand, void** slots, const Block& block) const {
    const auto [begin, end, row, phase] = block;
    uint8_t* const x = operand.location.in<uint8_t>(run);
    if (operand.load == Load::k_scalar) return x;
    if (operand.load == Load::k_in_row) return x + phase * operand.bytes;
    if (operand.load == Load::k_row_scalar) return x + scalar_of_row(operand, row);
    if (operand.load == Load::k_prepared) return prepared_block(run, operand);
    if (operand.load == Load::k_in_rows) return prepared_block(run, operand) + phase * operand.bytes;
    if (operand.load == Load::k_direct && !operand.is_staged) return x + begin * operand.bytes;
    if (operand.load == Load::k_row) {
      const int64_t period = operand.view.shape[1], start = begin % period;
      if (start + (end - begin) <= period) return x + start * operand.bytes;
    }
    uint8_t* const out = static_cast<uint8_t*>(slots[operand.slot]);
    if (operand.load == Load::k_direct) {
      std::memcpy(out, x + begin * operand.bytes, (end - begin) * operand.bytes);
    } else if (operand.load == Load::k_column) {
      load_column(operand, x, out, begin, end);
    } else {
      copy_(operand.view, static_cast<int>(operand.bytes), x, out - begin * operand.bytes, begin, end);
    }
    return out;
  }

  decltype(KernelTable::copy) copy_;
  Plan plan_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_elementwise(Preparation& preparation, const Instruction& instruction) {
  if (auto chain = prepare_chain(preparation, instruction)) return chain;
  return prepare_blocks(preparation, instruction);
}

std::unique_ptr<PreparedInstruction> prepare_blocks(Preparation& preparation, const Instruction& instruction) {
  Plan plan;
  if (!elementwise::make_plan(preparation, instruction, &plan)) return nullptr;
  return std::make_unique<PreparedElementwise>(preparation.kernels.copy, std::move(plan));
}

}  // namespace galvani
