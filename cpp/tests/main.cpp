#include <exception>

#include "testing.hpp"

int main() {
  using namespace coffee_fast::testing;
  int num_failed = 0;
  for (const Test& test : registry()) {
    const int before = num_failures();
    try {
      test.body();
    } catch (const std::exception& error) {
      fail(test.name.c_str(), 0, std::string("threw ") + error.what());
    }
    if (num_failures() != before) {
      ++num_failed;
      std::cerr << "FAILED " << test.name << "\n";
    }
  }
  std::cout << registry().size() - num_failed << " passed, " << num_failed << " failed\n";
  return num_failed == 0 ? 0 : 1;
}
