// Values that have to be in a range, or the run ends.
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

// Without a branch, so that it becomes vectors. NaN is in no range.
template <typename T>
bool are_between(const T* x, int64_t count, double low, double high) {
  bool all = true;
  for (int64_t i = 0; i < count; ++i) all &= (x[i] >= low) & (x[i] <= high);
  return all;
}

template <typename T>
class PreparedDemand final : public PreparedInstruction {
 public:
  PreparedDemand(const DemandParams& params, Location x, Location tested, Location out, int64_t bytes)
      : PreparedInstruction(1), params_(params), x_(x), tested_(tested), out_(out), bytes_(bytes) {}

  bool run(Run& run) const override {
    const T* const tested = tested_.in<const T>(run);
    if (!are_between(tested, params_.count, params_.low, params_.high)) return fail(run, tested);
    const uint8_t* const x = x_.in<const uint8_t>(run);
    uint8_t* const out = out_.in<uint8_t>(run);
    if (out != x) copy_bytes(out, x, bytes_);
    return true;
  }

 private:
  bool fail(Run& run, const T* tested) const {
    int64_t i = 0;
    while (tested[i] >= params_.low && tested[i] <= params_.high) ++i;
    run.failure = {-1, i, tested[i], 0};
    return false;
  }

  DemandParams params_;
  Location x_, tested_, out_;
  int64_t bytes_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_demand(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<DemandParams>(instruction.params);
  const int64_t bytes = params.size * element_bytes(preparation.input_dtype(instruction, 0));
  const Location x = preparation.input(instruction, 0), tested = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  if (preparation.input_dtype(instruction, 1) == DType::k_float64)
    return std::make_unique<PreparedDemand<double>>(params, x, tested, out, bytes);
  return std::make_unique<PreparedDemand<float>>(params, x, tested, out, bytes);
}

}  // namespace galvani
