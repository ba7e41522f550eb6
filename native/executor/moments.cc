// The two sums of each channel: parts of channels give theirs, which are put together in double. The parts depend on
// the shape alone.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

constexpr double kNanosecondsPerPart = 4;

// How [outer, channels, inner] is cut: rows into parts of some first-level cache, or columns into some rows of all.
class ChannelParts {
 public:
  explicit ChannelParts(const MomentsParams& p)
      : outer_(p.inner == 0 ? 0 : p.outer),
        channels_(p.channels),
        inner_(p.inner),
        row_parts_(ceil_div(p.inner, kElements)) {}

  bool are_columns() const { return inner_ == 1; }
  int64_t channels() const { return channels_; }
  int64_t elements() const { return outer_ * inner_; }  // of a channel
  int64_t tasks() const { return are_columns() ? ceil_div(outer_, kRows) : outer_ * channels_ * row_parts_; }
  int64_t count() const { return are_columns() ? tasks() * channels_ : tasks(); }
  int64_t of_channel() const { return are_columns() ? tasks() : outer_ * row_parts_; }
  double nanoseconds() const {
    return cost::kPerReducedElement *
           static_cast<double>(are_columns() ? kRows * channels_ : std::min(inner_, kElements));
  }

  // Where task `index` begins in x, and how many elements, or rows, it has.
  struct Range {
    int64_t first, size, channel;
  };
  Range range_of(int64_t index) const {
    if (are_columns()) return {index * kRows * channels_, std::min(kRows, outer_ - index * kRows), 0};
    // A division takes as long as a short row.
    const int64_t row = row_parts_ == 1 ? index : index / row_parts_, part = index - row * row_parts_;
    const int64_t channel = outer_ == 1 ? row : row % channels_;
    return {row * inner_ + part * kElements, std::min(kElements, inner_ - part * kElements), channel};
  }

  // Calls body(index of a part, its elements) for those of a channel.
  template <typename Body>
  void for_each(int64_t channel, Body body) const {
    if (are_columns()) {
      for (int64_t i = 0; i < tasks(); ++i) body(i * channels_ + channel, std::min(kRows, outer_ - i * kRows));
      return;
    }
    for (int64_t o = 0; o < outer_; ++o) {
      for (int64_t part = 0; part < row_parts_; ++part) {
        body((o * channels_ + channel) * row_parts_ + part, std::min(kElements, inner_ - part * kElements));
      }
    }
  }

 private:
  static constexpr int64_t kElements = 4096, kRows = 64;

  int64_t outer_, channels_, inner_, row_parts_;
};

// The sums of a part into partial[0][count] and partial[1][count], then body(channel, partial) for each channel.
template <typename OfPart, typename OfChannel>
class PreparedChannelSums final : public PreparedInstruction {
 public:
  PreparedChannelSums(const ChannelParts& parts, OfPart of_part, OfChannel of_channel)
      : PreparedInstruction(split_of(parts).tasks()),
        parts_(parts),
        split_(split_of(parts)),
        of_part_(std::move(of_part)),
        of_channel_(std::move(of_channel)) {}

  bool run(Run& run) const override {
    float* const partial = reinterpret_cast<float*>(run.workspace);
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) of_part_(std::as_const(run), parts_.range_of(i), sums_of(partial, i));
    });
    const Split channels =
        split_work(parts_.channels(), kCacheLineElements,
                   kNanosecondsPerPart * static_cast<double>(std::max<int64_t>(parts_.of_channel(), 1)));
    for_ranges(threads_of(run), channels, [&](int64_t begin, int64_t end, int) {
      for (int64_t channel = begin; channel < end; ++channel) {
        of_channel_(std::as_const(run), channel, partial, partial + parts_.count());
      }
    });
    return true;
  }

  int64_t workspace_bytes(int) const override { return 2 * parts_.count() * static_cast<int64_t>(sizeof(float)); }

 private:
  static Split split_of(const ChannelParts& parts) { return split_work(parts.tasks(), 1, parts.nanoseconds()); }

  std::pair<float*, float*> sums_of(float* partial, int64_t task) const {
    float* const first = partial + (parts_.are_columns() ? task * parts_.channels() : task);
    return {first, first + parts_.count()};
  }

  ChannelParts parts_;
  Split split_;
  OfPart of_part_;
  OfChannel of_channel_;
};

template <typename OfPart, typename OfChannel>
std::unique_ptr<PreparedInstruction> prepare_channel_sums(const ChannelParts& parts, OfPart of_part,
                                                          OfChannel of_channel) {
  return std::make_unique<PreparedChannelSums<OfPart, OfChannel>>(parts, std::move(of_part), std::move(of_channel));
}

}  // namespace

// Means and squares of parts are put together as by T. Chan, G. Golub and R. LeVeque, "Updating formulae and a pairwise
// algorithm for computing sample variances" (1979).
std::unique_ptr<PreparedInstruction> prepare_moments(const Preparation& preparation, const Instruction& instruction) {
  const ChannelParts parts(std::get<MomentsParams>(instruction.params));
  const KernelTable& kernels = preparation.kernels;
  const Location x = preparation.input(instruction, 0);
  const Location mean = preparation.output(instruction, 0), variance = preparation.output(instruction, 1);
  return prepare_channel_sums(
      parts,
      [=, &kernels](const Run& run, const ChannelParts::Range& range, std::pair<float*, float*> sums) {
        const float* const from = x.in<const float>(run) + range.first;
        if (parts.are_columns())
          return kernels.column_moments(from, range.size, parts.channels(), sums.first, sums.second);
        kernels.row_moments(from, range.size, sums.first, sums.second);
      },
      [=](const Run& run, int64_t channel, const float* means, const float* squares) {
        const double count = static_cast<double>(parts.elements());
        double sum = 0, squared = 0;
        parts.for_each(channel, [&](int64_t i, int64_t size) { sum += static_cast<double>(size) * means[i]; });
        const double whole = sum / count;
        parts.for_each(channel, [&](int64_t i, int64_t size) {
          squared += squares[i] + static_cast<double>(size) * (means[i] - whole) * (means[i] - whole);
        });
        mean.in<float>(run)[channel] = static_cast<float>(whole);
        variance.in<float>(run)[channel] = static_cast<float>(squared / count);
      });
}

std::unique_ptr<PreparedInstruction> prepare_deviation_sums(const Preparation& preparation,
                                                            const Instruction& instruction) {
  const auto& p = std::get<DeviationSumsParams>(instruction.params);
  const ChannelParts parts({p.outer, p.channels, p.inner});
  const KernelTable& kernels = preparation.kernels;
  const Location x = preparation.input(instruction, 0), mean = preparation.input(instruction, 1);
  const Location y = preparation.input(instruction, 2);
  const Location sum = preparation.output(instruction, 0), product = preparation.output(instruction, 1);
  return prepare_channel_sums(
      parts,
      [=, &kernels](const Run& run, const ChannelParts::Range& range, std::pair<float*, float*> sums) {
        const float *const a = x.in<const float>(run) + range.first, *const b = y.in<const float>(run) + range.first;
        const float* const means = mean.in<const float>(run);
        if (parts.are_columns()) {
          return kernels.column_deviations(a, means, b, range.size, parts.channels(), sums.first, sums.second);
        }
        kernels.row_deviations(a, means[range.channel], b, range.size, sums.first, sums.second);
      },
      [=](const Run& run, int64_t channel, const float* sums, const float* products) {
        double first = 0, second = 0;
        parts.for_each(channel, [&](int64_t i, int64_t) {
          first += sums[i];
          second += products[i];
        });
        sum.in<float>(run)[channel] = static_cast<float>(first);
        product.in<float>(run)[channel] = static_cast<float>(second);
      });
}

}  // namespace galvani
