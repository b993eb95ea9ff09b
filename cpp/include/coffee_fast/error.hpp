#pragma once

#include <stdexcept>

namespace coffee_fast {

/// An argument that breaks the contract of a function: its message names the argument, what was expected and what came.
class InvalidArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A computation that left the numbers it can work with (overflow, NaN).
class NumericalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown at an iteration point after the caller asked to stop; everything computed so far is discarded.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace coffee_fast
