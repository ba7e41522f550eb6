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

// Of putting a part's sums together; of a row, beside its elements, which are read twice.
constexpr double kNanosecondsPerPart = 4, kNanosecondsPerRow = 10;

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
    if (are_columns()) return 2 * cost::kPerReducedElement * static_cast<double>(kRows * channels_);
    return kNanosecondsPerRow + 2 * cost::kPerReducedElement * static_cast<double>(std::min(inner_, kElements));
  }

  // Some tasks: `rows` rows of `size` elements from `first` on, of channels one after the other; where channels are
  // columns, all of them.
  struct Range {
    int64_t first, rows, size, channel, tasks;
  };
  // The first tasks of [begin, end) that are such rows.
  Range range_of(int64_t begin, int64_t end) const {
    if (are_columns()) return {begin * kRows * channels_, std::min(kRows, outer_ - begin * kRows), channels_, 0, 1};
    const int64_t row = begin / row_parts_, part = begin % row_parts_, channel = row % channels_;
    const int64_t rows = row_parts_ == 1 ? std::min(end - begin, channels_ - channel) : 1;
    return {row * inner_ + part * kElements, rows, std::min(kElements, inner_ - part * kElements), channel, rows};
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
template <typename OfRows, typename OfChannel>
class PreparedChannelSums final : public PreparedInstruction {
 public:
  PreparedChannelSums(const ChannelParts& parts, OfRows of_rows, OfChannel of_channel)
      : PreparedInstruction(split_of(parts).tasks()),
        parts_(parts),
        split_(split_of(parts)),
        of_rows_(std::move(of_rows)),
        of_channel_(std::move(of_channel)) {}

  bool run(Run& run) const override {
    float* const partial = reinterpret_cast<float*>(run.workspace);
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int) {
      while (begin < end) {
        const ChannelParts::Range range = parts_.range_of(begin, end);
        of_rows_(std::as_const(run), range, sums_of(partial, begin));
        begin += range.tasks;
      }
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
  OfRows of_rows_;
  OfChannel of_channel_;
};

template <typename OfRows, typename OfChannel>
std::unique_ptr<PreparedInstruction> prepare_channel_sums(const ChannelParts& parts, OfRows of_rows,
                                                          OfChannel of_channel) {
  return std::make_unique<PreparedChannelSums<OfRows, OfChannel>>(parts, std::move(of_rows), std::move(of_channel));
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
        if (parts.are_columns()) return kernels.column_moments(from, range.rows, range.size, sums.first, sums.second);
        kernels.row_moments(from, range.rows, range.size, sums.first, sums.second);
      },
      [=](const Run& run, int64_t channel, const float* means, const float* squares) {
        const double count = static_cast<double>(parts.elements());
        if (parts.of_channel() == 1) {
          mean.in<float>(run)[channel] = means[channel];
          variance.in<float>(run)[channel] = static_cast<float>(squares[channel] / count);
          return;
        }
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
          return kernels.column_deviations(a, means, b, range.rows, range.size, sums.first, sums.second);
        }
        kernels.row_deviations(a, means + range.channel, b, range.rows, range.size, sums.first, sums.second);
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
