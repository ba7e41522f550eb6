// Reading strided views, against the definition.
#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

int64_t size_of(const StridedView& view) {
  int64_t size = 1;
  for (int axis = 0; axis < view.rank; ++axis) size *= view.shape[axis];
  return size;
}

int64_t address(const StridedView& view, int64_t position) {
  int64_t at = view.offset;
  for (int axis = view.rank - 1; axis >= 0; --axis) {
    at += position % view.shape[axis] * view.strides[axis];
    position /= view.shape[axis];
  }
  return at;
}

// The elements that a view touches must lie in [0, extent).
template <typename T>
void check_copy(const KernelTable& table, const StridedView& view, int64_t extent, Random& random) {
  const int64_t size = size_of(view);
  Buffer<T> x(extent, 1), out(size, 3);
  for (int64_t i = 0; i < extent; ++i) x[i] = static_cast<T>(random.next());
  table.copy(view, sizeof(T), x.data(), out.data(), 0, size);
  for (int64_t i = 0; i < size; ++i) EXPECT_SAME(out[i], x[address(view, i)], describe(table, "copy", i));
  EXPECT(out.guards_are_whole());
  Buffer<T> parts(size, 2);
  for (int64_t begin = 0; begin < size;) {
    const int64_t end = std::min(size, begin + 1 + random.below(size / 3 + 2));
    const T next = end < size ? parts[end] : T();
    table.copy(view, sizeof(T), x.data(), parts.data(), begin, end);
    if (end < size) EXPECT_SAME(parts[end], next, describe(table, "element after the part", end));
    begin = end;
  }
  for (int64_t i = 0; i < size; ++i) EXPECT_SAME(parts[i], out[i], describe(table, "part", i));
  EXPECT(parts.guards_are_whole());
}

void check_copy_of_both_sizes(const KernelTable& table, const StridedView& view, int64_t extent, Random& random) {
  check_copy<uint32_t>(table, view, extent, random);
  check_copy<uint8_t>(table, view, extent, random);
}

TEST(copy_of_known_views) {
  struct Known {
    StridedView view;
    int64_t extent;
  };
  const Known known[] = {
      {{0, {}, {}, 5}, 6},                                         // a scalar
      {{1, {100}, {1}, 3}, 103},                                   // dense
      {{1, {100}, {0}, 7}, 8},                                     // one element everywhere
      {{1, {50}, {-1}, 49}, 50},                                   // backwards
      {{2, {13, 17}, {1, 13}, 0}, 13 * 17},                        // a transpose
      {{2, {64, 64}, {1, 64}, 0}, 64 * 64},                        // of whole tiles
      {{2, {100, 37}, {1, 100}, 0}, 100 * 37},                     // and of partial ones
      {{2, {40, 40}, {1, 50}, 3}, 50 * 40 + 3},                    // of a part of a matrix
      {{3, {3, 33, 35}, {33 * 35, 1, 33}, 0}, 3 * 33 * 35},        // of each matrix of a batch
      {{4, {2, 3, 20, 18}, {18, 36, 1, 360}, 0}, 18 * 360 + 120},  // which is itself permuted
      {{2, {30, 40}, {0, 1}, 0}, 40},                              // a row for every row
      {{2, {30, 40}, {1, 0}, 0}, 30},                              // a column for every column
      {{2, {30, 10}, {25, 2}, 1}, 30 * 25},                        // a slice
      {{3, {1, 7, 1}, {0, 3, 0}, 2}, 21},                          // axes of one
      {{3, {4, 5, 6}, {1, 4, 20}, 0}, 120},                        // axes reversed
      {{2, {0, 5}, {5, 1}, 0}, 1},                                 // nothing
  };
  for_each_table([&](const KernelTable& table) {
    Random random(12);
    for (const Known& k : known) check_copy_of_both_sizes(table, k.view, k.extent, random);
  });
}

TEST(copy_of_random_views) {
  for_each_table([](const KernelTable& table) {
    Random random(13);
    for (int round = 0; round < 300; ++round) {
      StridedView view = {static_cast<int>(random.below(kMaxRank + 1)), {}, {}, 0};
      int64_t span = 0;
      for (int axis = 0; axis < view.rank; ++axis) {
        view.shape[axis] = 1 + random.below(view.rank > 3 ? 3 : 20);
        view.strides[axis] = random.below(4) == 0 ? 1 : random.below(25) - 5;
        const int64_t reach = (view.shape[axis] - 1) * view.strides[axis];
        if (reach < 0) view.offset -= reach;
        span += reach < 0 ? -reach : reach;
      }
      check_copy_of_both_sizes(table, view, span + 1, random);
    }
  });
}

template <typename T>
void check_transpose(const KernelTable& table, int64_t rows, int64_t columns, Random& random) {
  const int64_t stride = rows + random.below(3), out_stride = columns + random.below(3);
  Buffer<T> x(columns * stride, 1), out(rows * out_stride, 2);
  x.fill(random);
  out.fill(random);
  const std::vector<T> before(out.data(), out.data() + out.size());
  table.transpose(sizeof(T), x.data(), stride, out.data(), out_stride, rows, columns);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < out_stride; ++column) {
      const int64_t i = row * out_stride + column;
      EXPECT_SAME(out[i], column < columns ? x[row + column * stride] : before[i], describe(table, "transpose", i));
    }
  }
  EXPECT(out.guards_are_whole());
}

TEST(transpose_of_all_sizes) {
  for_each_table([](const KernelTable& table) {
    Random random(14);
    for (const int64_t rows : {1, 2, 3, 4, 5, 8, 15, 16, 17, 63, 64, 65, 130}) {
      for (const int64_t columns : {1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 64, 67, 256, 300}) {
        check_transpose<int32_t>(table, rows, columns, random);
        check_transpose<uint8_t>(table, rows, columns, random);
      }
    }
  });
}

}  // namespace
}  // namespace galvani::test
