// Attention: blocks of queries are tasks, each of which goes through the keys in blocks, so that no more than a block
// of scores exists at a time (see kernels/attention.h).
#include <algorithm>

#include "base/numbers.h"
#include "executor/attention_blocks.h"
#include "executor/families.h"

namespace galvani {
namespace {

// score = score · scale, and what the mask says.
void mask_scores(float* scores, const ScoreBlock& range, float scale, const Matrix<uint8_t>& mask) {
  for (int64_t i = 0; i < range.queries; ++i) {
    const uint8_t* const row = mask.row(range.query + i) + range.key * mask.column_stride;
    for (int64_t j = 0; j < range.keys; ++j) {
      float* const score = scores + i * kKeys + j;
      *score = row[j * mask.column_stride] != 0 ? *score * scale : -kInfinity;
    }
  }
}

void mask_scores(float* scores, const ScoreBlock& range, float scale, const Matrix<float>& mask) {
  for (int64_t i = 0; i < range.queries; ++i) {
    const float* const row = mask.row(range.query + i) + range.key * mask.column_stride;
    for (int64_t j = 0; j < range.keys; ++j) {
      float* const score = scores + i * kKeys + j;
      *score = *score * scale + row[j * mask.column_stride];
    }
  }
}

void scale_scores(float* scores, const ScoreBlock& range, float scale) {
  for (int64_t i = 0; i < range.queries; ++i) {
    for (int64_t j = 0; j < range.keys; ++j) scores[i * kKeys + j] *= scale;
  }
}

class PreparedAttention final : public PreparedInstruction {
 public:
  PreparedAttention(const AttentionParams& params, const KernelTable& kernels, const Split& split,
                    const Location* inputs, DType mask, Location out, Location log_sums)
      : PreparedInstruction(split),
        params_(params),
        kernels_(kernels),
        split_(split),
        mask_dtype_(mask),
        out_(out),
        log_sums_(log_sums) {
    std::copy(inputs, inputs + params.operands.size(), inputs_);
    for (size_t i = 0; i < params.operands.size(); ++i) views_[i] = view_of(params, i);
  }

  bool run(Run& run) const override {
    for_ranges(run.parallel, split_, [&](int64_t begin, int64_t end, int thread) {
      float* const scratch = reinterpret_cast<float*>(run.workspace) + thread * scratch_floats();
      for (int64_t task = begin; task < end; ++task) attend(run, task, scratch);
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return scratch_floats() * static_cast<int64_t>(sizeof(float)) * (is_parallel() ? threads : 1);
  }

 private:
  // Scores, the greatest and the sums of their rows, and packed keys.
  int64_t scratch_floats() const {
    return kQueries * kKeys + 2 * kQueries + packed_depth(params_.features, kernels_.gemm) * kKeys;
  }

  void attend(const Run& run, int64_t task, float* scratch) const {
    const int64_t blocks = ceil_div(params_.queries, kQueries);
    const int64_t batch = task / blocks, query = task % blocks * kQueries;
    const ScoreBlock all = {query, std::min(kQueries, params_.queries - query), 0, params_.keys};
    float* const greatest = scratch + kQueries * kKeys;
    float* const sums = greatest + kQueries;
    std::fill(greatest, sums, -kInfinity);
    std::fill(sums, sums + kQueries, 0.0f);
    const int64_t row = batch * params_.queries + query;
    float* const out = out_.in<float>(run) + row * params_.values;
    const int64_t reached = params_.causal ? std::min(params_.keys, query + all.queries) : params_.keys;
    for (int64_t key = 0; key < reached; key += kKeys) {
      const ScoreBlock range = {query, all.queries, key, std::min(kKeys, reached - key)};
      score(run, batch, range, scratch, sums + kQueries);
      const bool has_scaled = mask(run, batch, range, scratch);
      const float scale = has_scaled ? 1.0f : static_cast<float>(params_.scale);
      kernels_.attend(scratch, kKeys, range.queries, range.keys, scale, greatest, sums, out, params_.values, key == 0);
      add_values(run, batch, range, scratch, out);
    }
    kernels_.end_attention(greatest, sums, all.queries, out, params_.values, log_sums_.in<float>(run) + row);
  }

  // scores = q·kᵀ
  void score(const Run& run, int64_t batch, const ScoreBlock& range, float* scores, float* packed) const {
    const auto q = matrix_at(views_[0], batch, inputs_[0].in<const float>(run));
    const auto k = matrix_at(views_[1], batch, inputs_[1].in<const float>(run));
    multiply_rows(q.row(range.query), q.row_stride, k.row(range.key), k.row_stride, params_.features, range,
                  kernels_.gemm, packed, scores);
  }

  // out += scores·v
  void add_values(const Run& run, int64_t batch, const ScoreBlock& range, const float* scores, float* out) const {
    if (params_.values == 0) return;
    const auto v = matrix_at(views_[2], batch, inputs_[2].in<const float>(run));
    GemmBlock block = block_of(range.queries, params_.values, out, params_.values);
    block.k = range.keys;
    block.a = scores;
    block.a_row_stride = kKeys;
    block.b = v.row(range.key);
    block.b_stride = v.row_stride;
    block.accumulate = range.key > 0;
    kernels_.gemm.multiply(block);
  }

  // Whether it has scaled the scores, too.
  bool mask(const Run& run, int64_t batch, const ScoreBlock& range, float* scores) const {
    const float scale = static_cast<float>(params_.scale);
    const bool is_cut = params_.causal && range.key + range.keys > range.query + 1;
    if (params_.operands.size() == 3) {
      if (is_cut) scale_scores(scores, range, scale);
    } else if (mask_dtype_ == DType::k_bool) {
      mask_scores(scores, range, scale, matrix_at(views_[3], batch, inputs_[3].in<const uint8_t>(run)));
    } else {
      mask_scores(scores, range, scale, matrix_at(views_[3], batch, inputs_[3].in<const float>(run)));
    }
    if (is_cut) set_later(scores, range, -kInfinity);
    return is_cut || params_.operands.size() == 4;
  }

  AttentionParams params_;
  StridedView views_[4];
  const KernelTable& kernels_;
  Split split_;
  Location inputs_[4];
  DType mask_dtype_;
  Location out_, log_sums_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_attention(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<AttentionParams>(instruction.params);
  Location inputs[4] = {};
  for (size_t i = 0; i < instruction.inputs.size(); ++i) inputs[i] = preparation.input(instruction, i);
  const DType mask = instruction.inputs.size() == 4 ? preparation.input_dtype(instruction, 3) : DType::k_float32;
  const double flops =
      2.0 * kQueries * static_cast<double>(params.keys) * static_cast<double>(params.features + params.values);
  const double exponentials = static_cast<double>(kQueries) * static_cast<double>(params.keys);
  const Split split = split_work(size_of(params.batch) * ceil_div(params.queries, kQueries), 1,
                                 flops * cost::kPerFlop + exponentials * cost::kPerSoftmaxElement);
  return std::make_unique<PreparedAttention>(params, preparation.kernels, split, inputs, mask,
                                             preparation.output(instruction, 0), preparation.output(instruction, 1));
}

}  // namespace galvani
