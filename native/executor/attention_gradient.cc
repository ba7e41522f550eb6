// The gradients of attention. Scores are computed again, by blocks, from the sums that attention has left: T. Dao et
// al., "FlashAttention" (2022), algorithm 4. Each task has all queries and keys of some matrices, so that sums have one
// order.
#include <algorithm>

#include "base/numbers.h"
#include "executor/attention_blocks.h"
#include "executor/families.h"

namespace galvani {
namespace {

// The matrices of one position of the batch.
struct GradientMatrices {
  Matrix<float> q, k, v, cotangent;
  const float *out, *log_sums;
  float *dq, *dk, *dv;
};

class PreparedAttentionGradient final : public PreparedInstruction {
 public:
  PreparedAttentionGradient(const AttentionParams& params, const KernelTable& kernels, const Split& split,
                            const Location (&inputs)[6], const Location (&outputs)[3])
      : PreparedInstruction(split), params_(params), kernels_(kernels), split_(split) {
    std::copy(inputs, inputs + 6, inputs_);
    std::copy(outputs, outputs + 3, outputs_);
    for (size_t i = 0; i < 4; ++i) views_[i] = gradient_view_of(params, i);
  }

  bool run(Run& run) const override {
    for_ranges(run.parallel, split_, [&](int64_t begin, int64_t end, int thread) {
      const Scratch scratch(reinterpret_cast<float*>(run.workspace) + thread * scratch_floats());
      for (int64_t batch = begin; batch < end; ++batch) differentiate(matrices(run, batch), scratch);
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return scratch_floats() * static_cast<int64_t>(sizeof(float)) * (is_parallel() ? threads : 1);
  }

 private:
  struct Scratch {
    explicit Scratch(float* floats)
        : weights(floats),
          slopes(weights + kQueries * kKeys),
          inner(slopes + kQueries * kKeys),
          packed(inner + kQueries) {}
    float *weights, *slopes, *inner, *packed;
  };
  int64_t scratch_floats() const {
    const int64_t depth = packed_depth(std::max(params_.features, params_.values), kernels_.gemm);
    return 2 * kQueries * kKeys + kQueries + depth * kKeys;
  }

  GradientMatrices matrices(const Run& run, int64_t batch) const {
    const auto operand = [&](size_t i) { return matrix_at(views_[i], batch, inputs_[i].in<const float>(run)); };
    const auto gradient = [&](size_t i, int64_t size) { return outputs_[i].in<float>(run) + batch * size; };
    return {operand(0),
            operand(1),
            operand(2),
            operand(3),
            inputs_[4].in<const float>(run) + batch * params_.queries * params_.values,
            inputs_[5].in<const float>(run) + batch * params_.queries,
            gradient(0, params_.queries * params_.features),
            gradient(1, params_.keys * params_.features),
            gradient(2, params_.keys * params_.values)};
  }

  void differentiate(const GradientMatrices& m, const Scratch& scratch) const {
    std::fill_n(m.dq, params_.queries * params_.features, 0.0f);
    std::fill_n(m.dk, params_.keys * params_.features, 0.0f);
    std::fill_n(m.dv, params_.keys * params_.values, 0.0f);
    for (int64_t query = 0; query < params_.queries; query += kQueries) {
      const int64_t queries = std::min(kQueries, params_.queries - query);
      sum_rows(m, query, queries, scratch.inner);
      const int64_t reached = params_.causal ? std::min(params_.keys, query + queries) : params_.keys;
      for (int64_t key = 0; key < reached; key += kKeys) {
        add_block(m, {query, queries, key, std::min(kKeys, reached - key)}, scratch);
      }
    }
  }

  // inner = Σ cotangent ∘ out
  void sum_rows(const GradientMatrices& m, int64_t query, int64_t queries, float* inner) const {
    for (int64_t i = 0; i < queries; ++i) {
      GemmBlock block = block_of(1, 1, inner + i, 1);
      block.k = params_.values;
      block.a = m.cotangent.row(query + i);
      block.b = m.out + (query + i) * params_.values;
      kernels_.gemm.dot(block);
    }
  }

  void add_block(const GradientMatrices& m, const ScoreBlock& range, const Scratch& scratch) const {
    const int64_t features = params_.features, values = params_.values;
    const float* const q = m.q.row(range.query);
    const float* const k = m.k.row(range.key);
    const float* const cotangent = m.cotangent.row(range.query);
    multiply_rows(q, m.q.row_stride, k, m.k.row_stride, features, range, kernels_.gemm, scratch.packed,
                  scratch.weights);
    multiply_rows(cotangent, m.cotangent.row_stride, m.v.row(range.key), m.v.row_stride, values, range, kernels_.gemm,
                  scratch.packed, scratch.slopes);
    kernels_.attention_slopes(scratch.weights, scratch.slopes, kKeys, range.queries, range.keys,
                              static_cast<float>(params_.scale), m.log_sums + range.query, scratch.inner);
    if (params_.causal && range.key + range.keys > range.query + 1) {
      set_later(scratch.weights, range, 0);
      set_later(scratch.slopes, range, 0);
    }
    add_product(scratch.slopes, false, range, k, m.k.row_stride, features, m.dq + range.query * features);
    add_product(scratch.slopes, true, range, q, m.q.row_stride, features, m.dk + range.key * features);
    add_product(scratch.weights, true, range, cotangent, m.cotangent.row_stride, values, m.dv + range.key * values);
  }

  // c += scores·b, or scoresᵀ·b, for a dense c with rows of n.
  void add_product(const float* scores, bool is_transposed, const ScoreBlock& range, const float* b, int64_t b_stride,
                   int64_t n, float* c) const {
    if (n == 0) return;
    GemmBlock block = block_of(is_transposed ? range.keys : range.queries, n, c, n);
    block.k = is_transposed ? range.queries : range.keys;
    block.a = scores;
    block.a_row_stride = is_transposed ? 1 : kKeys;
    block.a_column_stride = is_transposed ? kKeys : 1;
    block.b = b;
    block.b_stride = b_stride;
    block.accumulate = true;
    kernels_.gemm.multiply(block);
  }

  AttentionParams params_;
  StridedView views_[4];
  const KernelTable& kernels_;
  Split split_;
  Location inputs_[6], outputs_[3];
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_attention_gradient(const Preparation& preparation,
                                                                const Instruction& instruction) {
  const auto& params = std::get<AttentionParams>(instruction.params);
  Location inputs[6], outputs[3];
  for (size_t i = 0; i < 6; ++i) inputs[i] = preparation.input(instruction, i);
  for (size_t i = 0; i < 3; ++i) outputs[i] = preparation.output(instruction, i);
  const double scores = static_cast<double>(params.queries) * static_cast<double>(params.keys);
  const double flops = scores * (6.0 * static_cast<double>(params.features) + 4.0 * static_cast<double>(params.values));
  const Split split = split_work(size_of(params.batch), 1, flops * cost::kPerFlop + scores * cost::kPerSoftmaxElement);
  return std::make_unique<PreparedAttentionGradient>(params, preparation.kernels, split, inputs, outputs);
}

}  // namespace galvani
