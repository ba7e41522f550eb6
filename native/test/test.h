// A test is TEST(name) { EXPECT(…); … }. A failed expectation is printed and the test goes on.
// With GALVANI_TEST_QUICK=1, for emulated machines, tests leave out large repetitions of what smaller ones cover; with
// 0 they do not.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

namespace galvani::test {

struct Test {
  Test(const char* name, void (*body)());

  const char* name;
  void (*body)();
  const Test* next;
};

inline bool is_quick() {
  const char* const text = std::getenv("GALVANI_TEST_QUICK");
  return text != nullptr && text[0] != '0';
}

// Other numbers make the fuzz tests find other programs.
inline uint64_t other_seed() {
  const char* const text = std::getenv("GALVANI_TEST_SEED");
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

void fail(const char* file, int line, const std::string& message);

template <typename A, typename B>
void expect_equal(const char* file, int line, const char* text, const A& actual, const B& wanted) {
  if (actual == wanted) return;
  std::ostringstream message;
  message << text << ": expected " << wanted << ", got " << actual;
  fail(file, line, message.str());
}

// Equal values, infinities included, are near; a NaN is near to a NaN only.
inline bool is_near(double actual, double wanted, double tolerance) {
  if (std::isnan(actual) || std::isnan(wanted)) return std::isnan(actual) && std::isnan(wanted);
  return actual == wanted || std::fabs(actual - wanted) <= tolerance;
}

inline void expect_near(const char* file, int line, const char* text, double actual, double wanted, double tolerance) {
  if (is_near(actual, wanted, tolerance)) return;
  std::ostringstream message;
  message.precision(9);
  message << text << ": expected " << wanted << " ± " << tolerance << ", got " << actual;
  fail(file, line, message.str());
}

}  // namespace galvani::test

#define TEST(name)                                                          \
  static void test_##name();                                                \
  static const ::galvani::test::Test test_case_##name(#name, &test_##name); \
  static void test_##name()

#define EXPECT(condition)                                                    \
  do {                                                                       \
    if (!(condition)) ::galvani::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define EXPECT_EQ(actual, wanted) ::galvani::test::expect_equal(__FILE__, __LINE__, #actual, actual, wanted)
#define EXPECT_NEAR(actual, wanted, tolerance) \
  ::galvani::test::expect_near(__FILE__, __LINE__, #actual, actual, wanted, tolerance)
