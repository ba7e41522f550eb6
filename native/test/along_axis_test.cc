// takeAlongAxis and scatterAlongAxis against their definition, on every instruction set and split.
#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8;

struct Extents {
  int32_t outer, rows, count, inner;
  int64_t element(int64_t position, int32_t index) const {
    return (position / (int64_t{count} * inner) * rows + index) * inner + position % inner;
  }
  int64_t selected() const { return int64_t{outer} * count * inner; }
};

const Extents kExtents[] = {{1, 9, 5000, 1}, {300, 40, 30, 1}, {7, 11, 30, 3},
                            {2, 9, 50, 70},  {1, 5, 3, 3000},  {3, 4, 0, 5}};

Ints indices_below(int32_t limit, int64_t n) {
  Random random(4);
  Ints indices(n);
  for (int32_t& index : indices) index = static_cast<int32_t>(random.below(limit));
  return indices;
}

TEST(take_along_axis_selects_elements) {
  for (const Extents& e : kExtents) {
    for (const DType dtype : {kFloat, kByte}) {
      const int64_t bytes = element_bytes(dtype);
      Bytes from(e.outer * e.rows * e.inner * bytes), wanted;
      Random random(7);
      for (uint8_t& byte : from) byte = static_cast<uint8_t>(random.next());
      const Ints chosen = indices_below(e.rows, e.selected());
      for (int64_t p = 0; p < e.selected(); ++p) {
        const auto element = from.begin() + e.element(p, chosen[p]) * bytes;
        wanted.insert(wanted.end(), element, element + bytes);
      }
      ProgramBuilder builder;
      const Words shape = {e.outer, e.count, e.inner};
      const int32_t x = builder.input(dtype, {e.outer, e.rows, e.inner}), indices = builder.input(kInt, shape);
      builder.instruction(Opcode::k_takeAlongAxis, {x, indices}, {builder.result(dtype, shape)},
                          {e.outer, e.rows, e.count, e.inner});
      run_everywhere(builder, {from, bytes_of(chosen)}, [&](const Outcome& o) { EXPECT(o.buffers[2] == wanted); });
    }
  }
}

// Onto a state, in place and not.
TEST(scatter_along_axis_replaces_and_adds) {
  for (const Extents& e : kExtents) {
    for (const int32_t accumulate : {0, 1}) {
      const Ints chosen = indices_below(e.rows, e.selected()), updates = indices_below(100, e.selected());
      Ints wanted(e.outer * e.rows * e.inner, 5);
      for (int64_t p = 0; p < e.selected(); ++p) {
        int32_t& element = wanted[e.element(p, chosen[p])];
        element = updates[p] + (accumulate ? element : 0);
      }
      const Ints start(wanted.size(), 5);
      for (const DType dtype : {kFloat, kInt}) {
        const auto typed = [&](const Ints& v) {
          return dtype == kInt ? bytes_of(v) : bytes_of(Floats(v.begin(), v.end()));
        };
        ProgramBuilder builder;
        const Words shape = {e.outer, e.rows, e.inner}, of_indices = {e.outer, e.count, e.inner};
        const int32_t x = builder.state(dtype, shape), indices = builder.input(kInt, of_indices),
                      u = builder.input(dtype, of_indices);
        builder.instruction(Opcode::k_scatterAlongAxis, {x, indices, u},
                            {builder.value(dtype, Place::k_state, 0, shape)},
                            {e.outer, e.rows, e.count, e.inner, accumulate});
        run_everywhere(builder, {bytes_of(chosen), typed(updates), typed(start)},
                       [&](const Outcome& o) { EXPECT(o.buffers[3] == typed(wanted)); });
        ProgramBuilder apart;
        const int32_t y = apart.input(dtype, shape), at = apart.input(kInt, of_indices),
                      v = apart.input(dtype, of_indices);
        apart.instruction(Opcode::k_scatterAlongAxis, {y, at, v}, {apart.result(dtype, shape)},
                          {e.outer, e.rows, e.count, e.inner, accumulate});
        run_everywhere(apart, {typed(start), bytes_of(chosen), typed(updates)},
                       [&](const Outcome& o) { EXPECT(o.buffers[3] == typed(wanted)); });
      }
    }
  }
}

TEST(a_bad_index_along_an_axis_ends_the_run) {
  for (const int32_t index : {-1, 5, INT32_MIN}) {
    ProgramBuilder builder;
    const int32_t x = builder.state(kFloat, {2, 5}), indices = builder.input(kInt, {2, 2}),
                  updates = builder.input(kFloat, {2, 2});
    builder.instruction(Opcode::k_scatterAlongAxis, {x, indices, updates},
                        {builder.value(kFloat, Place::k_state, 0, {2, 5})}, {2, 5, 2, 1, 0});
    const Outcome o =
        run(builder.words(), {}, {bytes_of(Ints{4, 0, 3, index}), bytes_of(Floats(4, 1)), bytes_of(Floats(10, 2))},
            kBaselineKernels, 1, false);
    EXPECT(!o.has_run);
    EXPECT_EQ(o.failure.position, 3);
    EXPECT_EQ(o.failure.value, index);
    EXPECT_EQ(o.failure.limit, 5);
    expect_floats(o.buffers[2], Floats(10, 2));
  }
}

}  // namespace
}  // namespace galvani::test
