#pragma once

// A test framework small enough to read: TEST(name) registers a function, EXPECT and EXPECT_THROW record failures.

#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace coffee_fast::testing {

struct Test {
  std::string name;
  std::function<void()> body;
};

inline std::vector<Test>& registry() {
  static std::vector<Test> tests;
  return tests;
}

inline int& num_failures() {
  static int failures = 0;
  return failures;
}

struct Registration {
  Registration(std::string name, std::function<void()> body) {
    registry().push_back({std::move(name), std::move(body)});
  }
};

inline void fail(const char* file, int line, const std::string& what) {
  ++num_failures();
  std::cerr << file << ":" << line << ": " << what << "\n";
}

}  // namespace coffee_fast::testing

#define TEST(name)                                                                           \
  static void test_##name();                                                                 \
  static const ::coffee_fast::testing::Registration registration_##name(#name, test_##name); \
  static void test_##name()

#define EXPECT(condition) \
  if (!(condition)) ::coffee_fast::testing::fail(__FILE__, __LINE__, "expected " #condition)

#define EXPECT_THROW(statement, Exception)                                                                     \
  do {                                                                                                         \
    bool thrown = false;                                                                                       \
    try {                                                                                                      \
      statement;                                                                                               \
    } catch (const Exception&) {                                                                               \
      thrown = true;                                                                                           \
    }                                                                                                          \
    if (!thrown) ::coffee_fast::testing::fail(__FILE__, __LINE__, "expected " #Exception " from " #statement); \
  } while (false)
