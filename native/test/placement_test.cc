// Which turns are divided, by costs that are given.
#include "executor/placement.h"
#include "test/test.h"

namespace galvani::test {
namespace {

constexpr ThreadCosts kShared = {300, 0}, kApart = {500, 9};

std::vector<bool> divided(const std::vector<Turn>& turns, const ThreadCosts& costs, int threads = 2) {
  return choose_divided(turns, costs, threads);
}

TEST(what_is_long_enough_is_divided_where_caches_are_shared) {
  const std::vector<Turn> turns = {{8'000, true, {}}, {20'000, true, {{0, 1 << 20, false}}}, {500, true, {}}};
  EXPECT((divided(turns, kShared) == std::vector<bool>{true, true, false}));
}

TEST(what_is_not_divisible_or_of_unknown_length_stays_as_it_is) {
  const std::vector<Turn> turns = {
      {0, true, {}}, {90'000, false, {{0, 1 << 20, false}}}, {0, true, {{1, 1 << 20, false}}}};
  for (const ThreadCosts& costs : {kShared, kApart})
    EXPECT((divided(turns, costs) == std::vector<bool>{true, false, true}));
}

// An update of 800 KB: 6272 lines of them cost more to fetch than half of its time.
TEST(what_the_caller_has_written_stays_with_it_where_lines_are_dear) {
  const std::vector<Turn> turns = {{50'000, false, {}}, {34'000, true, {{0, 800 << 10, true}}}};
  EXPECT((divided(turns, kShared) == std::vector<bool>{false, true}));
  EXPECT((divided(turns, kApart) == std::vector<bool>{false, false}));
}

TEST(what_is_read_in_step_is_divided_where_lines_are_dear) {
  const std::vector<Turn> turns = {{60'000, true, {{1, 800 << 10, true}}}, {90'000, true, {{1, 2400 << 10, true}}}};
  EXPECT((divided(turns, kApart) == std::vector<bool>{true, true}));
}

// Each alone would send its data to and fro.
TEST(turns_change_sides_together) {
  std::vector<Turn> turns;
  for (size_t i = 0; i < 6; ++i) turns.push_back({9'000, true, {{(i + 5) % 6, 64 << 10, false}}});
  EXPECT(divided(turns, kApart) == std::vector<bool>(6, false));
  EXPECT(divided(turns, kShared) == std::vector<bool>(6, true));
  for (Turn& turn : turns) turn.nanoseconds = 60'000;
  EXPECT(divided(turns, kApart) == std::vector<bool>(6, true));
}

TEST(long_turns_are_divided_in_any_case) {
  const std::vector<Turn> turns = {{900'000, true, {{0, 256 << 20, false}}}};
  EXPECT((divided(turns, kApart) == std::vector<bool>{true}));
}

}  // namespace
}  // namespace galvani::test
