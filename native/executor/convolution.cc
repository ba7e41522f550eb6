// Preparing convolutions and pooling.
#include <algorithm>
#include <utility>

#include "convolution/convolution.h"
#include "convolution/winograd.h"
#include "convolution/winograd_gradient.h"
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
template <typename Plan, typename Body>
class PreparedConvolution : public PreparedInstruction {
 public:
  PreparedConvolution(const ConvolutionShape& shape, const Plan& plan, Body body)
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
  Plan plan_;
  Split split_;
  Body body_;
};

template <typename Plan, typename Body>
std::unique_ptr<PreparedInstruction> prepare_tasks(const ConvolutionShape& shape, const Plan& plan, Body body) {
  return std::make_unique<PreparedConvolution<Plan, Body>>(shape, plan, std::move(body));
}

// Tasks, and then what adds up their sums.
class PreparedWeightGradient final : public PreparedInstruction {
 public:
  PreparedWeightGradient(std::unique_ptr<PreparedInstruction> tasks, const ConvolutionShape& shape, int64_t parts,
                         const KernelTable& kernels, Location dw)
      : PreparedInstruction(tasks->is_parallel() ? 2 : 1),
        tasks_(std::move(tasks)),
        shape_(shape),
        parts_(parts),
        kernels_(kernels),
        dw_(dw) {}

  bool run(Run& run) const override {
    tasks_->run(run);
    add_parts(shape_, parts_, kernels_, reinterpret_cast<float*>(run.workspace), dw_.in<float>(run));
    return true;
  }

  int64_t workspace_bytes(int threads) const override { return tasks_->workspace_bytes(threads); }

 private:
  std::unique_ptr<PreparedInstruction> tasks_;
  ConvolutionShape shape_;
  int64_t parts_;
  const KernelTable& kernels_;
  Location dw_;
};

// By tiles; and then directly, if an element is not finite.
class PreparedWinogradGradient final : public PreparedInstruction {
 public:
  PreparedWinogradGradient(std::unique_ptr<PreparedInstruction> tiles, std::unique_ptr<PreparedInstruction> direct,
                           const ConvolutionShape& shape, const WinogradGradientPlan& plan, const KernelTable& kernels,
                           Location dw)
      : PreparedInstruction(tiles->is_parallel() || direct->is_parallel() ? 2 : 1),
        tiles_(std::move(tiles)),
        direct_(std::move(direct)),
        shape_(shape),
        plan_(plan),
        kernels_(kernels),
        dw_(dw) {}

  bool run(Run& run) const override {
    float* const sums = reinterpret_cast<float*>(run.workspace);
    tiles_->run(run);
    if (is_gradient_broken(shape_, plan_, sums)) return direct_->run(run);
    add_parts(shape_, plan_.parts, kernels_, sums, dw_.in<float>(run));
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return std::max(tiles_->workspace_bytes(threads), direct_->workspace_bytes(threads));
  }

 private:
  std::unique_ptr<PreparedInstruction> tiles_, direct_;
  ConvolutionShape shape_;
  WinogradGradientPlan plan_;
  const KernelTable& kernels_;
  Location dw_;
};

// What a convolution reads and writes, and what follows it.
struct ConvolutionOperands {
  Location x, w, bias, y;  // bias.base is -1 where there is none
  Activation activation;
  float slope;

  ConvolutionEpilogue epilogue(const Run& run) const {
    return {bias.base < 0 ? nullptr : bias.in<const float>(run), activation, slope};
  }
};

// By tiles; and then directly the images that have outputs that are not finite. Of a convolution, or of its adjoint in
// x, which is one too.
class PreparedWinograd final : public PreparedInstruction {
 public:
  PreparedWinograd(const ConvolutionShape& shape, const WinogradPlan& plan, bool is_adjoint, const KernelTable& kernels,
                   const ConvolutionOperands& operands)
      : PreparedInstruction(split_tasks(shape, plan.tasks).tasks()),
        shape_(shape),
        plan_(plan),
        is_adjoint_(is_adjoint),
        direct_shape_(is_adjoint ? adjoint_of(shape) : shape),
        direct_(is_adjoint ? plan_input_gradient(direct_shape_, kernels) : plan_convolution(shape, kernels)),
        split_(split_tasks(shape, plan.tasks)),
        kernels_(kernels),
        operands_(operands) {}

  bool run(Run& run) const override {
    Parallel& parallel = threads_of(run);
    const float* const x = operands_.x.in<const float>(run);
    const float* const w = operands_.w.in<const float>(run);
    float* const y = operands_.y.in<float>(run);
    float* const shared = reinterpret_cast<float*>(run.workspace);
    const auto scratch = [&](int thread) { return shared + plan_.shared_floats + thread * thread_floats(); };
    for (int thread = 0; thread < parallel.threads(); ++thread) begin_winograd(plan_, scratch(thread));
    for_ranges(parallel, split_work(plan_.weight_tasks, 1, kNanosecondsPerKernel * shape_.filters),
               [&](int64_t begin, int64_t end, int thread) {
                 transform_weights(shape_, plan_, kernels_, w, is_adjoint_, scratch(thread), shared, begin, end);
               });
    const ConvolutionEpilogue epilogue = operands_.epilogue(run);
    for_ranges(parallel, split_, [&](int64_t begin, int64_t end, int thread) {
      convolve_tiles(shape_, plan_, kernels_, x, epilogue, y, scratch(thread), shared, begin, end);
    });
    const int64_t tasks = direct_.tasks / shape_.batch;  // of an image
    for (int64_t image = 0; image < shape_.batch; ++image) {
      if (!is_image_broken(shape_, plan_, shared, image)) continue;
      for_ranges(parallel, {tasks, 1}, [&](int64_t begin, int64_t end, int thread) {
        const int64_t first = image * tasks + begin, last = image * tasks + end;
        if (is_adjoint_) {
          convolve_input_gradient(direct_shape_, direct_, kernels_, x, w, y, scratch(thread), first, last);
        } else {
          convolve(direct_shape_, direct_, kernels_, x, w, epilogue, y, scratch(thread), first, last);
        }
      });
    }
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return (plan_.shared_floats + thread_floats() * threads) * static_cast<int64_t>(sizeof(float));
  }

 private:
  static constexpr double kNanosecondsPerKernel = 2;
  int64_t thread_floats() const { return round_up(std::max(plan_.thread_floats, direct_.thread_floats), 16); }

  ConvolutionShape shape_;
  WinogradPlan plan_;
  bool is_adjoint_;
  ConvolutionShape direct_shape_;
  ConvolutionPlan direct_;
  Split split_;
  const KernelTable& kernels_;
  ConvolutionOperands operands_;
};

template <typename P>
ConvolutionShape shape_of(const P& p) {
  return {p.batch, p.groups, p.channels, p.filters, p};
}

// What is not pooled need not be computed.
ConvolutionShape shape_of(const MaxPooledConv2dParams& p) {
  ConvolutionShape shape = {p.batch, p.groups, p.channels, p.filters, p, true};
  shape.windows.out_height = 2 * p.pooled_height;
  shape.windows.out_width = 2 * p.pooled_width;
  return shape;
}

template <typename P>
std::unique_ptr<PreparedInstruction> prepare_forward(const Preparation& preparation, const Instruction& instruction) {
  const P& params = std::get<P>(instruction.params);
  const ConvolutionShape shape = shape_of(params);
  const KernelTable& kernels = preparation.kernels;
  const ConvolutionOperands operands = {
      preparation.input(instruction, 0),
      preparation.input(instruction, 1),
      instruction.inputs.size() == 3 ? preparation.input(instruction, 2) : Location{-1, 0},
      preparation.output(instruction, 0),
      params.activation,
      static_cast<float>(params.slope),
  };
  const WinogradPlan tiles = plan_winograd(shape, kernels);
  if (tiles.is_worthwhile) return std::make_unique<PreparedWinograd>(shape, tiles, false, kernels, operands);
  const ConvolutionPlan plan = plan_convolution(shape, kernels);
  return prepare_tasks(shape, plan, [=, &kernels](const Run& run, float* scratch, float*, int64_t begin, int64_t end) {
    convolve(shape, plan, kernels, operands.x.in<const float>(run), operands.w.in<const float>(run),
             operands.epilogue(run), operands.y.in<float>(run), scratch, begin, end);
  });
}

std::unique_ptr<PreparedInstruction> prepare_weight_gradient(const ConvolutionShape& shape, const KernelTable& kernels,
                                                             Location x, Location dy, Location dw) {
  const ConvolutionPlan plan = plan_weight_gradient(shape, kernels);
  const auto body = [=, &kernels](const Run& run, float* scratch, float* sums, int64_t begin, int64_t end) {
    convolve_weight_gradient(shape, plan, kernels, x.in<const float>(run), dy.in<const float>(run), sums, scratch,
                             begin, end);
  };
  auto direct =
      std::make_unique<PreparedWeightGradient>(prepare_tasks(shape, plan, body), shape, plan.parts, kernels, dw);
  const WinogradGradientPlan tiles = plan_winograd_gradient(shape, kernels);
  if (!tiles.is_worthwhile) return direct;
  const auto tiles_body = [=, &kernels](const Run& run, float* scratch, float* sums, int64_t begin, int64_t end) {
    convolve_weight_gradient_tiles(shape, tiles, kernels, x.in<const float>(run), dy.in<const float>(run), sums,
                                   scratch, begin, end);
  };
  return std::make_unique<PreparedWinogradGradient>(prepare_tasks(shape, tiles, tiles_body), std::move(direct), shape,
                                                    tiles, kernels, dw);
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_convolution(const Preparation& preparation,
                                                         const Instruction& instruction) {
  if (instruction.opcode == Opcode::k_conv2d) return prepare_forward<Conv2dParams>(preparation, instruction);
  if (instruction.opcode == Opcode::k_maxPooledConv2d) {
    return prepare_forward<MaxPooledConv2dParams>(preparation, instruction);
  }
  const ConvolutionShape shape = shape_of(std::get<Conv2dInputGradientParams>(instruction.params));
  const KernelTable& kernels = preparation.kernels;
  const Location first = preparation.input(instruction, 0), second = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  if (instruction.opcode == Opcode::k_conv2dInputGradient) {
    const ConvolutionShape adjoint = adjoint_of(shape);
    const WinogradPlan tiles = plan_winograd(adjoint, kernels);
    if (tiles.is_worthwhile) {
      const ConvolutionOperands operands = {first, second, {-1, 0}, out, Activation::k_none, 0};
      return std::make_unique<PreparedWinograd>(adjoint, tiles, true, kernels, operands);
    }
    const ConvolutionPlan plan = plan_input_gradient(shape, kernels);
    return prepare_tasks(
        shape, plan, [=, &kernels](const Run& run, float* scratch, float*, int64_t begin, int64_t end) {
          convolve_input_gradient(shape, plan, kernels, first.in<const float>(run), second.in<const float>(run),
                                  out.in<float>(run), scratch, begin, end);
        });
  }
  return prepare_weight_gradient(shape, kernels, first, second, out);
}

}  // namespace galvani
