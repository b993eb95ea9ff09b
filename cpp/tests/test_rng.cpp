#include "coffee_fast/rng.hpp"
#include "testing.hpp"

using namespace coffee_fast;

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(philox_known_answers) {
  EXPECT((philox4x32({0, 0, 0, 0}, {0, 0}) ==
          std::array<std::uint32_t, 4>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT((philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
          std::array<std::uint32_t, 4>{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT((philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
          std::array<std::uint32_t, 4>{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(streams_of_other_coordinates_differ) {
  const std::uint64_t first = Stream(1, Purpose::action, 2, 3, 4).next_u64();
  EXPECT(first == Stream(1, Purpose::action, 2, 3, 4).next_u64());
  EXPECT(first != Stream(2, Purpose::action, 2, 3, 4).next_u64());
  EXPECT(first != Stream(1, Purpose::strategy, 2, 3, 4).next_u64());
  EXPECT(first != Stream(1, Purpose::action, 3, 3, 4).next_u64());
  EXPECT(first != Stream(1, Purpose::action, 2, 4, 4).next_u64());
  EXPECT(first != Stream(1, Purpose::action, 2, 3, 5).next_u64());
}

TEST(next_below_stays_below_and_reaches_every_value) {
  Stream stream(7, Purpose::action);
  std::array<int, 5> seen{};
  for (int draw = 0; draw < 1000; ++draw) {
    const std::uint32_t value = stream.next_below(5);
    EXPECT(value < 5);
    ++seen[value];
  }
  for (const int count : seen) EXPECT(count > 150);
}

TEST(sample_categorical_never_draws_probability_zero) {
  const std::array<double, 4> probabilities{0.0, 0.5, 0.5, 0.0};
  EXPECT(sample_categorical(probabilities, 0.0) == 1);
  EXPECT(sample_categorical(probabilities, 0.49) == 1);
  EXPECT(sample_categorical(probabilities, 0.5) == 2);
  EXPECT(sample_categorical(probabilities, 0.9999999999999999) == 2);
}
