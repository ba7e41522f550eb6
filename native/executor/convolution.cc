// Preparing convolutions and pooling.
#include <algorithm>
#include <utility>

#include "convolution/convolution.h"
#include "executor/families.h"

namespace galvani {
namespace {

// Beside its multiplications, a convolution moves what they read.
constexpr double kNanosecondsPerMultiplication = 3 * cost::kPerFlop;

double multiplications(const ConvolutionShape& s) {
  const Windows& w = s.windows;
  return static_cast<double>(s.batch) * s.groups * s.filters * s.channels * w.kernel_height * w.kernel_width *
         w.out_height * w.out_width;
}

// Bounded, so that it counts work that no machine will ever finish as merely long.
Split split_tasks(const ConvolutionShape& shape, int64_t tasks) {
  const double work = std::min(multiplications(shape), 1e15) * kNanosecondsPerMultiplication;
  return split_work(tasks, 1, work / static_cast<double>(std::max<int64_t>(tasks, 1)));
}

// Runs body(run, scratch of the thread, shared scratch, begin, end) over ranges of tasks.
template <typename Body>
class PreparedConvolution : public PreparedInstruction {
 public:
  PreparedConvolution(const ConvolutionShape& shape, const ConvolutionPlan& plan, Body body)
      : PreparedInstruction(split_tasks(shape, plan.tasks).tasks()),
        plan_(plan),
        split_(split_tasks(shape, plan.tasks)),
        body_(body) {}

  bool run(Run& run) const override {
    float* const shared = reinterpret_cast<float*>(run.workspace);
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int thread) {
      body_(std::as_const(run), shared + plan_.shared_floats + thread * plan_.thread_floats, shared, begin, end);
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return (plan_.shared_floats + plan_.thread_floats * threads) * static_cast<int64_t>(sizeof(float));
  }

 private:
  ConvolutionPlan plan_;
  Split split_;
  Body body_;
};

template <typename Body>
std::unique_ptr<PreparedInstruction> prepare_tasks(const ConvolutionShape& shape, const ConvolutionPlan& plan,
                                                   Body body) {
  return std::make_unique<PreparedConvolution<Body>>(shape, plan, std::move(body));
}

// Tasks, and then what adds up their sums.
class PreparedWeightGradient final : public PreparedInstruction {
 public:
  PreparedWeightGradient(std::unique_ptr<PreparedInstruction> tasks, const ConvolutionShape& shape,
                         const ConvolutionPlan& plan, const KernelTable& kernels, Location dw)
      : PreparedInstruction(tasks->is_parallel() ? 2 : 1),
        tasks_(std::move(tasks)),
        shape_(shape),
        plan_(plan),
        kernels_(kernels),
        dw_(dw) {}

  bool run(Run& run) const override {
    tasks_->run(run);
    add_parts(shape_, plan_, kernels_, reinterpret_cast<float*>(run.workspace), dw_.in<float>(run));
    return true;
  }

  int64_t workspace_bytes(int threads) const override { return tasks_->workspace_bytes(threads); }

 private:
  std::unique_ptr<PreparedInstruction> tasks_;
  ConvolutionShape shape_;
  ConvolutionPlan plan_;
  const KernelTable& kernels_;
  Location dw_;
};

template <typename P>
ConvolutionShape shape_of(const P& p) {
  return {p.batch, p.groups, p.channels, p.filters, p};
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_convolution(const Preparation& preparation,
                                                         const Instruction& instruction) {
  const bool is_forward = instruction.opcode == Opcode::k_conv2d;
  const ConvolutionShape shape = is_forward ? shape_of(std::get<Conv2dParams>(instruction.params))
                                            : shape_of(std::get<Conv2dInputGradientParams>(instruction.params));
  const KernelTable& kernels = preparation.kernels;
  const Location first = preparation.input(instruction, 0), second = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  if (is_forward) {
    const auto& params = std::get<Conv2dParams>(instruction.params);
    const ConvolutionPlan plan = plan_convolution(shape, kernels);
    const bool has_bias = instruction.inputs.size() == 3;
    const Location bias = has_bias ? preparation.input(instruction, 2) : Location{};
    const Activation activation = params.activation;
    const float slope = static_cast<float>(params.slope);
    return prepare_tasks(shape, plan,
                         [=, &kernels](const Run& run, float* scratch, float*, int64_t begin, int64_t end) {
                           const float* const added = has_bias ? bias.in<const float>(run) : nullptr;
                           convolve(shape, plan, kernels, first.in<const float>(run), second.in<const float>(run),
                                    {added, activation, slope}, out.in<float>(run), scratch, begin, end);
                         });
  }
  if (instruction.opcode == Opcode::k_conv2dInputGradient) {
    const ConvolutionPlan plan = plan_input_gradient(shape, kernels);
    return prepare_tasks(
        shape, plan, [=, &kernels](const Run& run, float* scratch, float*, int64_t begin, int64_t end) {
          convolve_input_gradient(shape, plan, kernels, first.in<const float>(run), second.in<const float>(run),
                                  out.in<float>(run), scratch, begin, end);
        });
  }
  const ConvolutionPlan plan = plan_weight_gradient(shape, kernels);
  const auto body = [=, &kernels](const Run& run, float* scratch, float* sums, int64_t begin, int64_t end) {
    convolve_weight_gradient(shape, plan, kernels, first.in<const float>(run), second.in<const float>(run), sums,
                             scratch, begin, end);
  };
  return std::make_unique<PreparedWeightGradient>(prepare_tasks(shape, plan, body), shape, plan, kernels, out);
}

}  // namespace galvani
