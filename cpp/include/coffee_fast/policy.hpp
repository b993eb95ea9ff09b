#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "coffee_fast/mlp.hpp"
#include "coffee_fast/rng.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// Distributions over actions, written down by information state.
class PolicyTable {
 public:
  /// information_states [K, I], finite, no two alike; probabilities [K, A], finite and nonnegative. Both are copied.
  PolicyTable(MatrixView<const float> information_states, MatrixView<const double> probabilities);

  std::size_t information_state_size() const { return information_state_size_; }
  std::size_t num_actions() const { return num_actions_; }
  /// [A]; empty for an information state that is not written down. O(I log K).
  std::span<const double> find(std::span<const float> information_state) const;

 private:
  std::span<const float> information_state(std::size_t row) const {
    return std::span(information_states_).subspan(row * information_state_size_, information_state_size_);
  }

  std::size_t information_state_size_, num_actions_;
  std::vector<float> information_states_;
  std::vector<double> probabilities_;
  std::vector<std::size_t> order_;  // rows, ascending by information state
};

/// What a player does at a decision: a map from its information state to a legal action.
struct Policy {
  enum class Kind {
    uniform_random,  ///< each legal action with equal probability
    greedy,          ///< the legal action of largest network output, lowest index first
    softmax,         ///< a legal action with probability proportional to exp(output / temperature)
    table,           ///< a legal action as `table` says; where it says nothing, each with equal probability
    mixture,         ///< at every decision anew, one of `components` by `weights`
  };

  Kind kind = Kind::uniform_random;
  std::shared_ptr<const Mlp> network;  ///< of greedy and softmax
  double temperature = 1.0;            ///< of softmax
  std::shared_ptr<const PolicyTable> table;
  std::vector<Policy> components;  ///< of mixture; themselves not mixtures
  std::vector<double> weights;     ///< of mixture; nonnegative, sum one

  /// The same play: networks and tables are compared by identity.
  bool operator==(const Policy&) const = default;
};

/// A player's strategy for a batch of episodes: at the start of each episode one policy is drawn by `probabilities`
/// and kept to its end.
struct PolicyMixture {
  std::vector<Policy> policies;
  std::vector<double> probabilities;
};

/// Scratch of one thread.
struct PolicyWorkspace {
  Mlp::Workspace network;
  std::vector<float> outputs;
};

/// Whether the policy needs information states at all; a uniform one is content with legal masks.
bool looks_at_information_states(const Policy& policy);

/// Throws InvalidArgument unless the policy's networks and tables fit a game of these sizes.
void check_policy(const Policy& policy, std::size_t information_state_size, std::size_t num_actions);

/// One action for each row: information_states [B, I], legal_masks [B, A] of 0 and 1 with at least one 1 a row,
/// streams [B] (each row draws from its own alone), actions [B].
/// A policy that does not look at information states may be given a view without columns.
/// A value of an illegal action is never looked at, so no size of it can get that action played.
void choose_actions(const Policy& policy, MatrixView<const float> information_states,
                    MatrixView<const std::uint8_t> legal_masks, std::span<Stream> streams,
                    std::span<std::int32_t> actions, PolicyWorkspace& workspace);

/// A row of a batch whose mover plays policy number `policy`.
struct PolicyRow {
  std::size_t policy, row;

  auto operator<=>(const PolicyRow&) const = default;
};

/// Answers a batch in which rows play different policies. Belongs to one thread.
class PolicyRows {
 public:
  /// Fills actions[row] of each of `movers`, which it sorts: those that play the same policy are answered together.
  /// A row draws from stream_of(row) alone. information_states [B, I], legal_masks [B, A], actions [B].
  void choose(std::span<const Policy> policies, std::span<PolicyRow> movers, MatrixView<const float> information_states,
              MatrixView<const std::uint8_t> legal_masks, const std::function<Stream(std::size_t row)>& stream_of,
              std::span<std::int32_t> actions);

 private:
  std::vector<float> information_states_;
  std::vector<std::uint8_t> legal_masks_;
  std::vector<Stream> streams_;
  std::vector<std::int32_t> chosen_;
  PolicyWorkspace workspace_;
};

/// The index of the largest value among those with mask 1, the lowest on ties; a NaN never wins against a number.
std::int32_t masked_argmax(std::span<const float> values, std::span<const std::uint8_t> mask);

/// The index of the `rank`-th 1 of the mask.
std::int32_t nth_legal(std::span<const std::uint8_t> mask, std::uint32_t rank);

}  // namespace coffee_fast
