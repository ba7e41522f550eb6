// Instructions that move elements: copy, pad and concat.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

template <typename T>
void spread(const uint8_t* x, uint8_t* out, int64_t stride, int64_t n) {
  const T* const from = reinterpret_cast<const T*>(x);
  T* const to = reinterpret_cast<T*>(out);
  for (int64_t i = 0; i < n; ++i) to[i * stride] = from[i];
}

// Writes x, dense, to the elements of a view.
class PreparedPad final : public PreparedInstruction {
 public:
  PreparedPad(const StridedView& view, int64_t size, int64_t bytes, int64_t out_bytes, Location x, Location out)
      : PreparedInstruction(split_work(out_bytes, kCacheLine, cost::kPerByte)),
        view_(view),
        row_(view.rank == 0 ? 1 : view.shape[view.rank - 1]),
        stride_(view.rank == 0 ? 1 : view.strides[view.rank - 1]),
        bytes_(bytes),
        zeros_(split_work(out_bytes, kCacheLine, cost::kPerByte)),
        rows_(split_work(size == 0 ? 0 : size / row_, 1,
                         cost::kPerRow + static_cast<double>(row_) *
                                             (stride_ == 1 ? bytes * cost::kPerByte : cost::kPerStridedElement))),
        x_(x),
        out_(out) {}

  bool run(Run& run) const override {
    uint8_t* const out = out_.in<uint8_t>(run);
    for_ranges(threads_of(run), zeros_,
               [&](int64_t begin, int64_t end, int) { std::memset(out + begin, 0, end - begin); });
    for_ranges(threads_of(run), rows_, [&](int64_t begin, int64_t end, int) { place_rows(run, begin, end); });
    return true;
  }

 private:
  void place_rows(const Run& run, int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; ++row) {
      const uint8_t* const from = x_.in<const uint8_t>(run) + row * row_ * bytes_;
      uint8_t* const to = out_.in<uint8_t>(run) + start_of(row) * bytes_;
      if (stride_ == 1) {
        copy_bytes(to, from, row_ * bytes_);
      } else {
        if (bytes_ == 8) spread<uint64_t>(from, to, stride_, row_);
        else if (bytes_ == 4) spread<uint32_t>(from, to, stride_, row_);
        else spread<uint8_t>(from, to, stride_, row_);
      }
    }
  }

  int64_t start_of(int64_t row) const {
    int64_t start = view_.offset;
    for (int axis = view_.rank - 2; axis >= 0; --axis) {
      start += row % view_.shape[axis] * view_.strides[axis];
      row /= view_.shape[axis];
    }
    return start;
  }

  StridedView view_;
  int64_t row_, stride_;  // the innermost axis
  int64_t bytes_;         // of an element
  Split zeros_, rows_;
  Location x_, out_;
};

// A copy that turns two axes of a view: the one along which x is contiguous, and the last, along which the result is.
struct Turn {
  static constexpr int64_t kRows = 256, kColumns = 256;  // of a block, which is one call

  // Axis -1: the view has none to turn.
  explicit Turn(const StridedView& v) : view(v) {
    const int last = view.rank - 1;
    if (last < 1 || view.strides[last] == 0 || view.strides[last] == 1) return;
    int64_t stride = 1;
    for (int i = last; i >= 0; stride *= view.shape[i--]) {
      out_strides[i] = stride;
      if (view.strides[i] == 1) axis = i;
    }
    if (axis < 0) return;
    row_blocks = (view.shape[axis] + kRows - 1) / kRows;
    column_blocks = (view.shape[last] + kColumns - 1) / kColumns;
    blocks = row_blocks * column_blocks;
    for (int i = 0; i < last; ++i) blocks *= i == axis ? 1 : view.shape[i];
  }

  void copy(decltype(KernelTable::transpose) kernel, int64_t bytes, const uint8_t* x, uint8_t* out,
            int64_t block) const {
    const int last = view.rank - 1;
    const int64_t column = block % column_blocks * kColumns, row = block / column_blocks % row_blocks * kRows;
    int64_t from = view.offset + row + column * view.strides[last], to = row * out_strides[axis] + column;
    int64_t rest = block / (column_blocks * row_blocks);
    for (int i = last - 1; i >= 0; --i) {
      if (i == axis) continue;
      const int64_t index = rest % view.shape[i];
      from += index * view.strides[i];
      to += index * out_strides[i];
      rest /= view.shape[i];
    }
    kernel(static_cast<int>(bytes), x + from * bytes, view.strides[last], out + to * bytes, out_strides[axis],
           std::min(kRows, view.shape[axis] - row), std::min(kColumns, view.shape[last] - column));
  }

  StridedView view;
  int axis = -1;
  int64_t out_strides[kMaxRank];
  int64_t row_blocks = 0, column_blocks = 0, blocks = 0;
};

struct Piece {
  Location location;
  int64_t begin, end;  // bytes in a row of the output
};

// The bytes [begin, end) of the concatenation of the pieces, row by row.
void concatenate(const Run& run, const std::vector<Piece>& pieces, uint8_t* out, int64_t begin, int64_t end) {
  const int64_t row_bytes = pieces.back().end;
  int64_t row = begin / row_bytes, at = begin % row_bytes;
  auto piece = std::upper_bound(pieces.begin(), pieces.end(), at, [](int64_t x, const Piece& p) { return x < p.end; });
  while (begin < end) {
    const int64_t n = std::min(piece->end - at, end - begin);
    const uint8_t* const x =
        piece->location.in<const uint8_t>(run) + row * (piece->end - piece->begin) + at - piece->begin;
    copy_bytes(out + begin, x, n);
    begin += n;
    at += n;
    if (at == piece->end && ++piece == pieces.end()) {
      piece = pieces.begin();
      at = 0;
      ++row;
    }
  }
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_copy(const Preparation& preparation, const Instruction& instruction) {
  const StridedView view = collapse(view_of(std::get<CopyParams>(instruction.params)));
  const int64_t size = preparation.program.values[instruction.outputs[0]].size;
  const int64_t bytes = element_bytes(preparation.input_dtype(instruction, 0));
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  if (is_contiguous(view)) {
    return prepare_ranges(split_work(size * bytes, kCacheLine, cost::of_moving(1)),
                          [=, offset = view.offset * bytes](const Run& run, int64_t begin, int64_t end) {
                            copy_bytes(out.in<uint8_t>(run) + begin, x.in<const uint8_t>(run) + offset + begin,
                                       end - begin);
                          });
  }
  const Turn turn(view);
  if (turn.axis >= 0) {
    const double per_block =
        cost::kPerTransposedElement * static_cast<double>(size) / std::max<int64_t>(turn.blocks, 1);
    return prepare_ranges(split_work(turn.blocks, 1, per_block),
                          [=, kernel = preparation.kernels.transpose](const Run& run, int64_t begin, int64_t end) {
                            for (int64_t block = begin; block < end; ++block) {
                              turn.copy(kernel, bytes, x.in<const uint8_t>(run), out.in<uint8_t>(run), block);
                            }
                          });
  }
  return prepare_ranges(split_work(size, kCacheLine, cost::kPerStridedElement),
                        [=, kernel = preparation.kernels.copy](const Run& run, int64_t begin, int64_t end) {
                          kernel(view, static_cast<int>(bytes), x.in<const void>(run), out.in<void>(run), begin, end);
                        });
}

std::unique_ptr<PreparedInstruction> prepare_pad(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<PadParams>(instruction.params);
  return std::make_unique<PreparedPad>(
      collapse(view_of(params)), preparation.program.values[instruction.inputs[0]].size,
      element_bytes(preparation.input_dtype(instruction, 0)), preparation.program.values[instruction.outputs[0]].bytes,
      preparation.input(instruction, 0), preparation.output(instruction, 0));
}

std::unique_ptr<PreparedInstruction> prepare_concat(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ConcatParams>(instruction.params);
  const Value& value = preparation.program.values[instruction.outputs[0]];
  std::vector<Piece> pieces;
  int64_t row_bytes = 0;
  for (size_t i = 0; i < params.inners.size(); ++i) {
    const int64_t bytes = params.inners[i] * element_bytes(value.dtype);
    if (bytes > 0) pieces.push_back({preparation.input(instruction, i), row_bytes, row_bytes + bytes});
    row_bytes += bytes;
  }
  const double per_piece =
      cost::kPerRow * static_cast<double>(pieces.size()) / static_cast<double>(std::max<int64_t>(row_bytes, 1));
  return prepare_ranges(
      split_work(value.bytes, kCacheLine, cost::of_moving(1) + per_piece),
      [pieces = std::move(pieces), out = preparation.output(instruction, 0)](
          const Run& run, int64_t begin, int64_t end) { concatenate(run, pieces, out.in<uint8_t>(run), begin, end); });
}

}  // namespace galvani
