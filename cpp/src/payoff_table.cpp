#include "coffee_fast/payoff_table.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "coffee_fast/check.hpp"
#include "packed_payoffs.hpp"

namespace coffee_fast {

struct PayoffTable::Cache {
  std::mutex mutex;
  std::map<std::pair<std::size_t, OverMembers>, PackedPayoffs> packed;  // its entries stay where they are
};

PayoffTable::PayoffTable(PayoffTable&&) noexcept = default;
PayoffTable& PayoffTable::operator=(PayoffTable&&) noexcept = default;
PayoffTable::~PayoffTable() = default;

PayoffTable::PayoffTable(std::vector<std::size_t> num_strategies, std::size_t num_members,
                         std::vector<std::vector<double>> payoffs)
    : PayoffTable(std::move(num_strategies), num_members, std::move(payoffs), false) {}

PayoffTable PayoffTable::symmetric(std::size_t num_strategies, std::size_t num_members, std::vector<double> payoffs) {
  std::vector<std::vector<double>> one;
  one.push_back(std::move(payoffs));
  return PayoffTable({num_strategies, num_strategies}, num_members, std::move(one), true);
}

PayoffTable::PayoffTable(std::vector<std::size_t> num_strategies, std::size_t num_members,
                         std::vector<std::vector<double>> payoffs, bool is_symmetric)
    : profiles_(std::move(num_strategies)),
      num_members_(num_members),
      is_symmetric_(is_symmetric),
      payoffs_(std::move(payoffs)),
      cache_(std::make_unique<Cache>()) {
  check(num_members_ >= 1, "PayoffTable: num_members must be at least 1");
  const std::size_t num_arrays = is_symmetric_ ? 1 : num_players();
  check(payoffs_.size() == num_arrays, "PayoffTable: payoffs must be ", num_arrays, " arrays, got ", payoffs_.size());
  for (std::size_t player = 0; player < payoffs_.size(); ++player) {
    const std::size_t expected = num_members_ * profiles_.num_profiles();
    check(payoffs_[player].size() == expected, "PayoffTable: payoffs of player ", player, " must have ", expected,
          " entries, got ", payoffs_[player].size());
    for (const double payoff : payoffs_[player]) {
      check(std::abs(payoff) <= max_payoff, "PayoffTable: payoffs of player ", player,
            " must be finite and at most 1e280 in size, got ", payoff);
      payoff_scale_ = std::max(payoff_scale_, std::abs(payoff));
    }
  }
}

std::span<const double> PayoffTable::payoffs(std::size_t player, std::size_t member) const {
  check(player < payoffs_.size(), "PayoffTable: no array of player ", player);
  check(member < num_members_, "PayoffTable: member must be below ", num_members_, ", got ", member);
  return {payoffs_[player].data() + member * profiles_.num_profiles(), profiles_.num_profiles()};
}

std::vector<double> PayoffTable::combined_payoffs(std::size_t player, OverMembers over_members) const {
  const std::span<const double> first = payoffs(player, 0);
  std::vector<double> combined(first.begin(), first.end());
  for (std::size_t member = 1; member < num_members_; ++member) {
    const std::span<const double> other = payoffs(player, member);
    for (std::size_t i = 0; i < combined.size(); ++i) {
      switch (over_members) {
        case OverMembers::mean:
          combined[i] += other[i];
          break;
        case OverMembers::lower:
          combined[i] = std::min(combined[i], other[i]);
          break;
        case OverMembers::upper:
          combined[i] = std::max(combined[i], other[i]);
          break;
      }
    }
  }
  if (over_members == OverMembers::mean)
    for (double& payoff : combined) payoff /= static_cast<double>(num_members_);
  return combined;
}

const PackedPayoffs& PayoffTable::packed_payoffs(std::size_t player, OverMembers over_members) const {
  check(player < num_players(), "PayoffTable: player must be below ", num_players(), ", got ", player);
  if (is_symmetric_) player = 0;                            // both players see the game alike
  if (num_members_ == 1) over_members = OverMembers::mean;  // so do all bounds
  const std::lock_guard lock(cache_->mutex);
  const std::pair key{player, over_members};
  auto found = cache_->packed.find(key);
  if (found == cache_->packed.end())
    found = cache_->packed.emplace(key, PackedPayoffs(profiles_, player, combined_payoffs(player, over_members))).first;
  return found->second;
}

}  // namespace coffee_fast
