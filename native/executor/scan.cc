// Preparing scans and recurrences, which run along an axis.
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

template <typename P>
Split split_lines(const P& p) {
  return split_work(p.outer * p.inner, 16, static_cast<double>(p.length) * cost::kPerScannedElement);
}

template <typename T, typename Kernel>
std::unique_ptr<PreparedInstruction> prepare_scan_of(const ScanParams& params, Kernel kernel, Location x,
                                                     Location out) {
  return prepare_ranges(split_lines(params), [=](const Run& run, int64_t begin, int64_t end) {
    kernel(x.in<const T>(run), out.in<T>(run), params.length, params.inner, params.reverse, begin, end);
  });
}

template <typename T, typename Kernel>
std::unique_ptr<PreparedInstruction> prepare_recurrence_of(const RecurrenceParams& params, Kernel kernel, Location a,
                                                           Location b, Location out) {
  return prepare_ranges(split_lines(params), [=](const Run& run, int64_t begin, int64_t end) {
    kernel(a.in<const T>(run), b.in<const T>(run), out.in<T>(run), params.length, params.inner, params.reverse, begin,
           end);
  });
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_scan(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ScanParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const int kind = static_cast<int>(params.kind);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return prepare_scan_of<int32_t>(params, preparation.kernels.scan_int32[kind], x, out);
  }
  if (preparation.input_dtype(instruction, 0) == DType::k_float64) {
    return prepare_scan_of<double>(params, preparation.kernels.scan_float64[kind], x, out);
  }
  return prepare_scan_of<float>(params, preparation.kernels.scan_float32[kind], x, out);
}

std::unique_ptr<PreparedInstruction> prepare_recurrence(const Preparation& preparation,
                                                        const Instruction& instruction) {
  const auto params = std::get<RecurrenceParams>(instruction.params);
  const Location a = preparation.input(instruction, 0), b = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  if (preparation.input_dtype(instruction, 0) == DType::k_float64) {
    return prepare_recurrence_of<double>(params, preparation.kernels.recurrence_float64, a, b, out);
  }
  return prepare_recurrence_of<float>(params, preparation.kernels.recurrence_float32, a, b, out);
}

}  // namespace galvani
