// Programs that the library recorded, with what the reference backend computed: so that they run under sanitizers.
// test/support/replay.ts writes the file.
//
// The file is a sequence of little-endian 32-bit words: magic, number of cases; then each case as
//   name (bytes), words (count, words), literals (bytes), number of buffers and each one's contents before (bytes),
//   number of expectations and each one as buffer, dtype, relative and absolute tolerance (float32), contents (bytes).
// Bytes are a count, then the bytes, padded with zeros to a whole word.
#include "test/replay.h"

#include <cstdio>
#include <sstream>
#include <string>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr int32_t kReplayMagic = 0x47565250;

class ReplayFile {
 public:
  bool open(const char* path) {
    std::FILE* const file = std::fopen(path, "rb");
    if (file == nullptr) return false;
    int32_t word;
    while (std::fread(&word, sizeof word, 1, file) == 1) words_.push_back(word);
    std::fclose(file);
    return true;
  }

  bool is_whole() const { return is_whole_ && at_ == words_.size(); }
  bool ok() const { return is_whole_; }

  int32_t word() {
    if (at_ < words_.size()) return words_[at_++];
    is_whole_ = false;
    return 0;
  }

  Words words(size_t count) {
    if (count > words_.size() - at_) {
      is_whole_ = false;
      return {};
    }
    at_ += count;
    return Words(words_.begin() + (at_ - count), words_.begin() + at_);
  }

  Bytes bytes() {
    const auto count = static_cast<uint32_t>(word());
    Bytes bytes = bytes_of(words((size_t{count} + 3) / 4));
    bytes.resize(is_whole_ ? count : 0);
    return bytes;
  }

  float real() {
    const int32_t bits = word();
    return float_of_bits(static_cast<uint32_t>(bits));
  }

 private:
  Words words_;
  size_t at_ = 0;
  bool is_whole_ = true;
};

struct Expectation {
  int32_t buffer;
  DType dtype;
  float relative, absolute;
  Bytes contents;
};

struct Case {
  std::string name;
  Words words;
  Bytes literals;
  std::vector<Bytes> buffers;
  std::vector<Expectation> expectations;
};

Case read_case(ReplayFile& file) {
  Case result;
  const Bytes name = file.bytes();
  result.name.assign(name.begin(), name.end());
  result.words = file.words(static_cast<uint32_t>(file.word()));
  result.literals = file.bytes();
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) result.buffers.push_back(file.bytes());
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) {
    Expectation expectation;
    expectation.buffer = file.word();
    expectation.dtype = static_cast<DType>(file.word());
    expectation.relative = file.real();
    expectation.absolute = file.real();
    expectation.contents = file.bytes();
    result.expectations.push_back(expectation);
  }
  return result;
}

template <typename T>
std::string difference_of(const Expectation& expectation, const Bytes& actual) {
  const auto values = values_of<T>(actual), wanted = values_of<T>(expectation.contents);
  for (size_t i = 0; i < values.size(); ++i) {
    const double tolerance = expectation.absolute + expectation.relative * std::fabs(static_cast<double>(wanted[i]));
    if (is_near(values[i], wanted[i], tolerance)) continue;
    std::ostringstream text;
    text.precision(std::numeric_limits<T>::max_digits10);
    text << "has " << values[i] << " at element " << i << ", not " << wanted[i] << " ± " << tolerance;
    return text.str();
  }
  return "";
}

// Says where the contents differ, or nothing.
std::string difference(const Expectation& expectation, const Bytes& actual) {
  if (actual.size() != expectation.contents.size()) return "has another size";
  if (expectation.dtype == DType::k_float32) return difference_of<float>(expectation, actual);
  if (expectation.dtype == DType::k_float64) return difference_of<double>(expectation, actual);
  return actual == expectation.contents ? "" : "has other bits";
}

// Says what went wrong, or nothing.
std::string fault_of(const Case& c, const Outcome& outcome) {
  if (!outcome.is_prepared) return "is refused: " + outcome.error;
  if (!outcome.has_run) return "is ended by an index out of range";
  for (const Expectation& expectation : c.expectations) {
    const size_t buffer = expectation.buffer;
    if (buffer >= outcome.buffers.size()) return "has too few buffers";
    const std::string found = difference(expectation, outcome.buffers[buffer]);
    if (!found.empty()) return "buffer " + std::to_string(buffer) + " " + found;
  }
  return "";
}

bool passes_on(const Case& c, const KernelTable& table, bool has_new_states) {
  const Outcome alone = run(c.words, c.literals, c.buffers, table, 1, has_new_states);
  const Outcome together = run(c.words, c.literals, c.buffers, table, 2, has_new_states);
  std::string fault = fault_of(c, alone);
  if (fault.empty() && alone.buffers != together.buffers) fault = "differs between 1 and 2 threads";
  if (!fault.empty()) std::printf("FAILED %s on %s: %s\n", c.name.c_str(), table.isa, fault.c_str());
  return fault.empty();
}

bool passes(const Case& c) {
  bool result = true;
  for_each_table([&](const KernelTable& table) {
    for (const bool has_new_states : {false, true}) result &= passes_on(c, table, has_new_states);
  });
  return result;
}

}  // namespace

int replay(const char* path) {
  ReplayFile file;
  if (!file.open(path) || file.word() != kReplayMagic) {
    std::printf("replay: expected a file of recorded cases, got %s\n", path);
    return 1;
  }
  int passed = 0, failed = 0;
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) {
    const Case c = read_case(file);
    file.ok() && passes(c) ? ++passed : ++failed;
  }
  if (!file.is_whole()) {
    std::printf("replay: expected a whole file, got a part or more of %s\n", path);
    ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace galvani::test
