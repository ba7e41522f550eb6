// Matrix products: see gemm/gemm.h.
#include <algorithm>

#include "executor/families.h"
#include "gemm/gemm.h"

namespace galvani {
namespace {

MatrixView view_of(const MatrixLayout& layout, const float* data) {
  const int64_t leading = layout.leading_dimension;
  return {data + layout.offset, layout.batch_stride, layout.transpose ? 1 : leading, layout.transpose ? leading : 1};
}

class PreparedMatmul final : public PreparedInstruction {
 public:
  PreparedMatmul(const MatmulParams& params, const GemmKernels& kernels, Location a, Location b, Location bias,
                 Location c)
      : PreparedInstruction(split_work(multiplications(params), 1, 2 * cost::kPerFlop).tasks()),
        params_(params),
        shape_{params.batch, params.m, params.n, params.k},
        kernels_(kernels),
        a_(a),
        b_(b),
        bias_(bias),
        c_(c) {}

  bool run(Run& run) const override {
    if (shape_.batch * shape_.m * shape_.n == 0) return true;
    const float* const bias = bias_.base < 0 ? nullptr : bias_.in<const float>(run);
    gemm(shape_, view_of(params_.a, a_.in<const float>(run)), view_of(params_.b, b_.in<const float>(run)),
         c_.in<float>(run), {bias, params_.activation, static_cast<float>(params_.slope)}, kernels_, threads_of(run),
         run.workspace);
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    const MatrixView a = view_of(params_.a, nullptr);
    return static_cast<int64_t>(gemm_workspace_bytes(shape_, a, kernels_, is_parallel() ? threads : 1));
  }

 private:
  // Bounded, so that it counts work that no machine will ever finish as merely long.
  static int64_t multiplications(const MatmulParams& p) {
    const double product = static_cast<double>(p.batch) * p.m * p.n * p.k;
    return static_cast<int64_t>(std::min(product, 1e15));
  }

  MatmulParams params_;
  GemmShape shape_;
  const GemmKernels& kernels_;
  Location a_, b_, bias_, c_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_matmul(const Preparation& preparation, const Instruction& instruction) {
  const Location bias = instruction.inputs.size() == 3 ? preparation.input(instruction, 2) : Location{-1, 0};
  return std::make_unique<PreparedMatmul>(std::get<MatmulParams>(instruction.params), preparation.kernels.gemm,
                                          preparation.input(instruction, 0), preparation.input(instruction, 1), bias,
                                          preparation.output(instruction, 0));
}

}  // namespace galvani
