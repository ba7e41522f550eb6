// Products of rows that are rounded to int8 and of int8 weights: see quantizedMatmul in lib/program/schema.ts.
#include <algorithm>

#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

// Rows that meet all panels before the next ones do, so that their integers stay in a cache: bytes of those.
constexpr int64_t kRowBytes = 1 << 18;

class PreparedQuantizedMatmul final : public PreparedInstruction {
 public:
  PreparedQuantizedMatmul(const Preparation& preparation, const Instruction& instruction, const Split& rows,
                          const Split& panels, const Split& quantized)
      : PreparedInstruction(std::max(rows.tasks() * panels.tasks(), quantized.tasks())),
        params_(std::get<QuantizedMatmulParams>(instruction.params)),
        kernels_(preparation.kernels),
        x_(preparation.input(instruction, 0)),
        weight_(preparation.input(instruction, 1)),
        scales_(preparation.input(instruction, 2)),
        bias_(instruction.inputs.size() == 4 ? preparation.input(instruction, 3) : Location{-1, 0}),
        out_(preparation.output(instruction, 0)),
        rows_(rows),
        panels_(panels),
        quantized_(quantized) {}

  bool run(Run& run) const override {
    for_ranges(threads_of(run), quantized_, [&](int64_t begin, int64_t end, int) { quantize(run, begin, end); });
    const int64_t parts = panels_.tasks();
    const Split tasks = {rows_.tasks() * parts, 1};
    for_ranges(threads_of(run), tasks, [&](int64_t begin, int64_t end, int) {
      for (int64_t task = begin; task < end; ++task) multiply(run, task / parts, task % parts);
    });
    return true;
  }

  int64_t workspace_bytes(int) const override { return scales_offset() + 8 * params_.m; }

 private:
  int64_t steps() const { return ceil_div(params_.k, kPanelInputs); }
  int64_t row_bytes() const { return steps() * kPanelInputs; }

  // The integers of the rows, then their scales and what their sums begin with.
  int64_t scales_offset() const { return params_.m * row_bytes(); }
  int8_t* integers(const Run& run) const { return reinterpret_cast<int8_t*>(run.workspace); }
  float* row_scales(const Run& run) const { return reinterpret_cast<float*>(run.workspace + scales_offset()); }
  int32_t* row_starts(const Run& run) const { return reinterpret_cast<int32_t*>(row_scales(run) + params_.m); }

  void quantize(const Run& run, int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; ++row) {
      kernels_.quantized.quantize(x_.in<const float>(run) + row * params_.k, params_.k,
                                  integers(run) + row * row_bytes(), row_scales(run) + row, row_starts(run) + row);
    }
  }

  void multiply(const Run& run, int64_t row_range, int64_t panel_range) const {
    const int64_t row = row_range * rows_.grain, panel = panel_range * panels_.grain;
    const int64_t column = panel * kPanelOutputs;
    QuantizedBlock block{};
    block.rows = std::min(rows_.grain, params_.m - row);
    block.columns = std::min(panels_.grain * kPanelOutputs, params_.n - column);
    block.steps = steps();
    block.x = integers(run) + row * row_bytes();
    block.x_stride = row_bytes();
    block.row_scales = row_scales(run) + row;
    block.row_starts = row_starts(run) + row;
    block.weight = weight_.in<const uint8_t>(run) + panel * block.steps * kPanelOutputs * kPanelInputs;
    block.scales = scales_.in<const float>(run) + column;
    block.bias = bias_.base < 0 ? nullptr : bias_.in<const float>(run) + column;
    block.out = out_.in<float>(run) + row * params_.n + column;
    block.out_stride = params_.n;
    block.has_relu = params_.activation == Activation::k_relu;
    kernels_.quantized.multiply(block);
    if (!block.has_relu && params_.activation != Activation::k_none) activate(block);
  }

  void activate(const QuantizedBlock& block) const {
    const int f32 = static_cast<int>(DType::k_float32);
    const float slope = static_cast<float>(params_.slope);
    for (int64_t row = 0; row < block.rows; ++row) {
      float* const y = block.out + row * block.out_stride;
      switch (params_.activation) {
        case Activation::k_leakyRelu:
          kernels_.micro_scalar[1][static_cast<int>(MicroOp::k_leakyRelu)][f32](y, &slope, nullptr, y, block.columns);
          break;
        case Activation::k_sigmoid:
          kernels_.micro[static_cast<int>(MicroOp::k_sigmoid)][f32](y, nullptr, nullptr, y, block.columns);
          break;
        default: kernels_.micro[static_cast<int>(MicroOp::k_tanh)][f32](y, nullptr, nullptr, y, block.columns);
      }
    }
  }

  QuantizedMatmulParams params_;
  const KernelTable& kernels_;
  Location x_, weight_, scales_, bias_, out_;
  Split rows_, panels_, quantized_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_quantized_matmul(const Preparation& preparation,
                                                              const Instruction& instruction) {
  const QuantizedMatmulParams& p = std::get<QuantizedMatmulParams>(instruction.params);
  const double m = static_cast<double>(p.m), k = static_cast<double>(p.k);
  const int64_t tile_rows = preparation.kernels.quantized.rows;
  const int64_t grain = std::max<int64_t>(kRowBytes / std::max<int64_t>(p.k, 1) / tile_rows, 1) * tile_rows;
  const Split rows = {p.m, std::min(p.m, grain)};
  const int64_t panels = ceil_div(p.n, kPanelOutputs);
  const double per_byte =
      m / static_cast<double>(std::max<int64_t>(rows.tasks(), 1)) * cost::kPerByteProduct + cost::kPerWeightByte;
  const double per_panel = k * kPanelOutputs * per_byte;
  const Split quantized = split_work(p.m, 1, k * cost::kPerReducedElement * 2);
  return std::make_unique<PreparedQuantizedMatmul>(preparation, instruction, rows, split_work(panels, 4, per_panel),
                                                   quantized);
}

}  // namespace galvani
