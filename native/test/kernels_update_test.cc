// Optimizer updates, accumulation and random numbers.
#include <functional>

#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

constexpr int64_t kMost = 130;

// The state of one parameter, and what an update makes of it in double.
struct State {
  double p, g, m, v;
};

struct Update {
  const char* name;
  double tolerance;
  std::function<void(const KernelTable&, const float* p, const float* g, const float* m, const float* v, float* p_out,
                     float* m_out, float* v_out, int64_t begin, int64_t end)>
      run;
  std::function<State(State)> exact;
};

constexpr float kRate = 0.01f, kMomentum = 0.9f;

AdamScalars<float> adam_scalars() {
  constexpr double beta1 = 0.9, beta2 = 0.999, decay = 0.1, t = 3;
  AdamScalars<float> step;
  step.learning_rate = kRate;
  step.beta1 = static_cast<float>(beta1);
  step.beta2 = static_cast<float>(beta2);
  step.one_minus_beta1 = static_cast<float>(1 - beta1);
  step.one_minus_beta2 = static_cast<float>(1 - beta2);
  step.step_size = static_cast<float>(0.01 / (1 - std::pow(beta1, t)));
  step.inverse_sqrt_bias2 = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, t)));
  step.epsilon = 1e-8f;
  step.decay = static_cast<float>(1 - 0.01 * decay);
  return step;
}

State adam_exactly(State s) {
  const double m = 0.9 * s.m + (1 - 0.9) * s.g, v = 0.999 * s.v + (1 - 0.999) * s.g * s.g;
  const double step = 0.01 / (1 - std::pow(0.9, 3));
  const double p = s.p * (1 - 0.01 * 0.1) - step * m / (std::sqrt(v / (1 - std::pow(0.999, 3))) + 1e-8);
  return {p, s.g, m, v};
}

Update momentum_update(bool nesterov) {
  return {nesterov ? "nesterov" : "momentum", 1e-6,
          [nesterov](const KernelTable& table, const float* p, const float* g, const float*, const float* v,
                     float* p_out, float*, float* v_out, int64_t begin, int64_t end) {
            table.update_float32.momentum(p, g, v, kRate, kMomentum, nesterov, p_out, v_out, begin, end);
          },
          [nesterov](State s) {
            const double v = 0.9 * s.v + s.g;
            return State{s.p - 0.01 * (nesterov ? s.g + 0.9 * v : v), s.g, s.m, v};
          }};
}

std::vector<Update> updates() {
  const Update sgd = {
      "sgd", 1e-6,
      [](const KernelTable& table, const float* p, const float* g, const float*, const float*, float* p_out, float*,
         float*, int64_t begin, int64_t end) { table.update_float32.sgd(p, g, kRate, p_out, begin, end); },
      [](State s) {
        return State{s.p - 0.01 * s.g, s.g, s.m, s.v};
      }};
  const Update adam = {"adam", 1e-6,
                       [](const KernelTable& table, const float* p, const float* g, const float* m, const float* v,
                          float* p_out, float* m_out, float* v_out, int64_t begin, int64_t end) {
                         table.update_float32.adam(adam_scalars(), p, g, m, v, p_out, m_out, v_out, begin, end);
                       },
                       adam_exactly};
  return {sgd, momentum_update(false), momentum_update(true), adam};
}

struct Buffers {
  explicit Buffers(int64_t n) : p(n, 1), g(n, 2), m(n, 3), v(n, 0) {}
  Buffer<float> p, g, m, v;
};

Buffers random_state(int64_t n) {
  Random random(31);
  Buffers state(n);
  for (int64_t i = 0; i < n; ++i) {
    state.p[i] = random.uniform(-1, 1);
    state.g[i] = random.uniform(-1, 1);
    state.m[i] = random.uniform(-1, 1);
    state.v[i] = random.uniform(0, 1);
  }
  return state;
}

TEST(optimizer_updates_in_place_and_in_parts) {
  for_each_table([](const KernelTable& table) {
    for (const Update& update : updates()) {
      for (int64_t n = 0; n <= kMost; ++n) {
        Buffers old = random_state(n), state = random_state(n), parts = random_state(n);
        update.run(table, old.p.data(), old.g.data(), old.m.data(), old.v.data(), state.p.data(), state.m.data(),
                   state.v.data(), 0, n);
        const int64_t cuts[] = {0, n / 3, n / 2, n};  // in place
        for (int part = 0; part < 3; ++part) {
          update.run(table, parts.p.data(), parts.g.data(), parts.m.data(), parts.v.data(), parts.p.data(),
                     parts.m.data(), parts.v.data(), cuts[part], cuts[part + 1]);
        }
        for (int64_t i = 0; i < n; ++i) {
          const State exact = update.exact({static_cast<double>(old.p[i]), static_cast<double>(old.g[i]),
                                            static_cast<double>(old.m[i]), static_cast<double>(old.v[i])});
          EXPECT_NEAR(static_cast<double>(state.p[i]), exact.p, update.tolerance);
          EXPECT_NEAR(static_cast<double>(state.m[i]), exact.m, update.tolerance);
          EXPECT_NEAR(static_cast<double>(state.v[i]), exact.v, update.tolerance * (1 + exact.v));
          EXPECT_SAME(parts.p[i], state.p[i], describe(table, update.name, i));
          EXPECT_SAME(parts.m[i], state.m[i], describe(table, update.name, i));
          EXPECT_SAME(parts.v[i], state.v[i], describe(table, update.name, i));
        }
        EXPECT(state.p.guards_are_whole() && state.m.guards_are_whole() && state.v.guards_are_whole());
      }
    }
  });
}

template <typename T, typename Kernel>
void check_accumulate(const KernelTable& table, Kernel kernel) {
  Random random(32);
  for (int64_t n = 0; n <= kMost; ++n) {
    Buffer<T> x(n, 1), out(n, 2);
    x.fill(random);
    out.fill(random);
    std::vector<T> old(out.data(), out.data() + n);
    kernel(x.data(), out.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      const T before = old[static_cast<size_t>(i)];
      T wanted;
      if constexpr (std::is_same_v<T, float>) {
        wanted = before + x[i];
      } else {
        wanted = static_cast<T>(static_cast<uint32_t>(before) + static_cast<uint32_t>(x[i]));
      }
      EXPECT_SAME(out[i], wanted, describe(table, "accumulate", i));
    }
    EXPECT(out.guards_are_whole());
  }
}

TEST(accumulate) {
  for_each_table([](const KernelTable& table) {
    check_accumulate<float>(table, table.accumulate_float32);
    check_accumulate<int32_t>(table, table.accumulate_int32);
  });
}

struct Block {
  uint32_t words[4];
};

// Philox 4x32-10 of one block (Salmon et al., SC 2011, section 3).
Block philox(Block c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
    const uint64_t a = uint64_t{0xD2511F53} * c.words[0], b = uint64_t{0xCD9E8D57} * c.words[2];
    c = {{static_cast<uint32_t>(b >> 32) ^ c.words[1] ^ key0, static_cast<uint32_t>(b),
          static_cast<uint32_t>(a >> 32) ^ c.words[3] ^ key1, static_cast<uint32_t>(a)}};
  }
  return c;
}

uint32_t word(const int32_t* key, int64_t element) {
  const uint64_t block = static_cast<uint64_t>(element) / 4;
  const Block counter = {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0}};
  return philox(counter, static_cast<uint32_t>(key[0]), static_cast<uint32_t>(key[1])).words[element % 4];
}

float uniform(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// The known answers of Random123's kat_vectors for philox4x32 10.
TEST(philox_known_answers) {
  const Block zeros = philox({{0, 0, 0, 0}}, 0, 0);
  const uint32_t wanted_zeros[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const Block ones = philox({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, 0xffffffff, 0xffffffff);
  const uint32_t wanted_ones[] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(zeros.words[i], wanted_zeros[i]);
    EXPECT_EQ(ones.words[i], wanted_ones[i]);
  }
}

TEST(random_uniform) {
  const int32_t keys[][2] = {{0, 0}, {1, -2}, {INT32_MIN, 123456789}};
  for_each_table([&](const KernelTable& table) {
    for (const int32_t* key : keys) {
      for (int64_t n = 0; n <= kMost; ++n) {
        Buffer<float> out(n, 1), parts(n, 2);
        const auto kernel = table.random[static_cast<int>(Distribution::k_uniform)];
        kernel(key, out.data(), 0, n);
        const int64_t cut = n / 8 * 4;
        kernel(key, parts.data(), 0, cut);
        kernel(key, parts.data(), cut, n);
        for (int64_t i = 0; i < n; ++i) {
          EXPECT_SAME(out[i], uniform(word(key, i)), describe(table, "uniform", i));
          EXPECT_SAME(parts[i], out[i], describe(table, "uniform in parts", i));
        }
        EXPECT(out.guards_are_whole() && parts.guards_are_whole());
      }
    }
  });
}

// The counter passes 2^32 within a vector.
TEST(random_uniform_far_out) {
  constexpr int64_t kBegin = (int64_t{1} << 34) - 4 * 3, n = 4 * 40;
  const int32_t key[] = {5, 6};
  for_each_table([&](const KernelTable& table) {
    Buffer<float> out(n, 0);
    float* const start = reinterpret_cast<float*>(reinterpret_cast<uintptr_t>(out.data()) - kBegin * sizeof(float));
    table.random[static_cast<int>(Distribution::k_uniform)](key, start, kBegin, kBegin + n);
    for (int64_t i = 0; i < n; ++i) {
      EXPECT_SAME(out[i], uniform(word(key, kBegin + i)), describe(table, "uniform", i));
    }
  });
}

// x must be where the normal distribution function, ½·erfc(−x/√2), is u.
TEST(random_normal) {
  constexpr int64_t n = 100003;
  const int32_t key[] = {7, 8};
  std::vector<float> first;
  for_each_table([&](const KernelTable& table) {
    std::vector<float> x(n);
    table.random[static_cast<int>(Distribution::k_normal)](key, x.data(), 0, n);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double value = static_cast<double>(x[static_cast<size_t>(i)]);
      const double u = (word(key, i) + 0.5) * 0x1p-32;
      const double tail = std::fmin(u, 1 - u), size = std::fabs(value);
      EXPECT_NEAR(0.5 * std::erfc(size / std::sqrt(2.0)), tail, tail * (1 + size * size) * 1e-7);
      EXPECT(value == 0 || (value > 0) == (u > 0.5));
      sum += value;
      squares += value * value;
    }
    EXPECT_NEAR(sum / n, 0, 0.02);
    EXPECT_NEAR(squares / n, 1, 0.02);
    if (first.empty()) first = x;
    EXPECT(std::memcmp(first.data(), x.data(), n * sizeof(float)) == 0);
  });
}

// By CPython's statistics.NormalDist, which is AS 241 too: key 0, elements 0…7.
TEST(random_normal_known_answers) {
  const float wanted[] = {-0.25581598f, 1.1775912f,  0.63018364f, 0.26756224f,
                          1.9148033f,   -0.3528749f, 0.50702375f, -1.7854512f};
  const int32_t key[] = {0, 0};
  for_each_table([&](const KernelTable& table) {
    float x[8];
    table.random[static_cast<int>(Distribution::k_normal)](key, x, 0, 8);
    for (int i = 0; i < 8; ++i) EXPECT_SAME(x[i], wanted[i], describe(table, "normal", i));
  });
}

}  // namespace
}  // namespace galvani::test
