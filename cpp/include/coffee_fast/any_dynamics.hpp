#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics.hpp"

namespace coffee_fast {

/// A dynamics of any kind behind one type, so that what plays is compiled once for all of them.
///
/// It costs one virtual call a batch operation, never one a lane, and is cheap to copy: copies share the dynamics.
class AnyDynamics {
 public:
  /// What a batch of the dynamics is kept in.
  struct AnyBatch {
    virtual ~AnyBatch() = default;
  };
  using Batch = std::unique_ptr<AnyBatch>;
  using Lanes = std::span<const std::int32_t>;

  AnyDynamics() = default;  ///< of nothing, for what is to be assigned to
  template <Dynamics D>
  explicit AnyDynamics(std::shared_ptr<const D> dynamics)
      : num_players_(dynamics->num_players()),
        num_actions_(dynamics->num_actions()),
        num_members_(dynamics->num_members()),
        state_size_(dynamics->state_size()),
        observation_size_(dynamics->observation_size()),
        information_state_size_(dynamics->information_state_size()),
        max_episode_length_(dynamics->max_episode_length()),
        lists_legal_actions_(ListsLegalActions<D>) {
    if constexpr (HasChance<D>) num_chance_outcomes_ = dynamics->num_chance_outcomes();
    model_ = std::make_shared<const Model<D>>(std::move(dynamics));
  }

  std::size_t num_players() const { return num_players_; }
  std::size_t num_actions() const { return num_actions_; }
  std::size_t num_members() const { return num_members_; }
  std::size_t num_chance_outcomes() const { return num_chance_outcomes_; }
  std::size_t state_size() const { return state_size_; }
  std::size_t observation_size() const { return observation_size_; }
  std::size_t information_state_size() const { return information_state_size_; }
  std::size_t max_episode_length() const { return max_episode_length_; }
  bool lists_legal_actions() const { return lists_legal_actions_; }

  Batch make_batch(std::size_t capacity) const {
    check(capacity <= kMaxLanes, "at most ", kMaxLanes, " episodes can be played at a time, got ", capacity);
    return model_->make_batch(capacity);
  }
  void reset(Batch& batch, Lanes lanes, std::span<const EpisodeKey> keys) const { model_->reset(*batch, lanes, keys); }
  void players_to_act(Batch& batch, Lanes lanes, std::span<std::int32_t> players) const {
    model_->players_to_act(*batch, lanes, players);
  }
  void information_states(Batch& batch, Lanes lanes, MatrixView<float> out) const {
    model_->information_states(*batch, lanes, out);
  }
  void legal_masks(Batch& batch, Lanes lanes, MatrixView<std::uint8_t> out) const {
    model_->legal_masks(*batch, lanes, out);
  }
  void states(Batch& batch, Lanes lanes, MatrixView<float> out) const { model_->states(*batch, lanes, out); }
  void observations(Batch& batch, Lanes lanes, MatrixView<float> out) const {
    model_->observations(*batch, lanes, out);
  }
  void chance_probabilities(Batch& batch, Lanes lanes, MatrixView<double> out) const {
    model_->chance_probabilities(*batch, lanes, out);
  }
  void play_uniformly(const Batch& batch, Lanes lanes, const ActionDraws& draws,
                      std::span<std::int32_t> actions) const {
    model_->play_uniformly(*batch, lanes, draws, actions);
  }
  void step(Batch& batch, Lanes lanes, std::span<const std::int32_t> actions, const StepOutputs& outputs) const {
    model_->step(*batch, lanes, actions, outputs);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Batch make_batch(std::size_t capacity) const = 0;
    virtual void reset(AnyBatch& batch, Lanes lanes, std::span<const EpisodeKey> keys) const = 0;
    virtual void players_to_act(AnyBatch& batch, Lanes lanes, std::span<std::int32_t> players) const = 0;
    virtual void information_states(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const = 0;
    virtual void legal_masks(AnyBatch& batch, Lanes lanes, MatrixView<std::uint8_t> out) const = 0;
    virtual void states(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const = 0;
    virtual void observations(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const = 0;
    virtual void chance_probabilities(AnyBatch& batch, Lanes lanes, MatrixView<double> out) const = 0;
    virtual void play_uniformly(const AnyBatch& batch, Lanes lanes, const ActionDraws& draws,
                                std::span<std::int32_t> actions) const = 0;
    virtual void step(AnyBatch& batch, Lanes lanes, std::span<const std::int32_t> actions,
                      const StepOutputs& outputs) const = 0;
  };

  template <Dynamics D>
  struct BatchOf final : AnyBatch {
    explicit BatchOf(typename D::Batch made) : batch(std::move(made)) {}
    typename D::Batch batch;
  };

  template <Dynamics D>
  struct Model final : Interface {
    explicit Model(std::shared_ptr<const D> shared) : dynamics(std::move(shared)) {}

    static typename D::Batch& of(AnyBatch& batch) { return static_cast<BatchOf<D>&>(batch).batch; }
    static const typename D::Batch& of(const AnyBatch& batch) { return static_cast<const BatchOf<D>&>(batch).batch; }

    Batch make_batch(std::size_t capacity) const override {
      return std::make_unique<BatchOf<D>>(dynamics->make_batch(capacity));
    }
    void reset(AnyBatch& batch, Lanes lanes, std::span<const EpisodeKey> keys) const override {
      dynamics->reset(of(batch), lanes, keys);
    }
    void players_to_act(AnyBatch& batch, Lanes lanes, std::span<std::int32_t> players) const override {
      dynamics->players_to_act(of(batch), lanes, players);
    }
    void information_states(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const override {
      dynamics->information_states(of(batch), lanes, out);
    }
    void legal_masks(AnyBatch& batch, Lanes lanes, MatrixView<std::uint8_t> out) const override {
      dynamics->legal_masks(of(batch), lanes, out);
    }
    void states(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const override {
      dynamics->states(of(batch), lanes, out);
    }
    void observations(AnyBatch& batch, Lanes lanes, MatrixView<float> out) const override {
      dynamics->observations(of(batch), lanes, out);
    }
    void chance_probabilities([[maybe_unused]] AnyBatch& batch, [[maybe_unused]] Lanes lanes,
                              [[maybe_unused]] MatrixView<double> out) const override {
      if constexpr (HasChance<D>) dynamics->chance_probabilities(of(batch), lanes, out);
    }
    void play_uniformly([[maybe_unused]] const AnyBatch& batch, [[maybe_unused]] Lanes lanes,
                        [[maybe_unused]] const ActionDraws& draws,
                        [[maybe_unused]] std::span<std::int32_t> actions) const override {
      if constexpr (ListsLegalActions<D>) coffee_fast::play_uniformly(*dynamics, of(batch), lanes, draws, actions);
    }
    void step(AnyBatch& batch, Lanes lanes, std::span<const std::int32_t> actions,
              const StepOutputs& outputs) const override {
      dynamics->step(of(batch), lanes, actions, outputs);
    }

    std::shared_ptr<const D> dynamics;
  };

  std::size_t num_players_ = 0, num_actions_ = 0, num_members_ = 0, num_chance_outcomes_ = 0, state_size_ = 0;
  std::size_t observation_size_ = 0, information_state_size_ = 0, max_episode_length_ = 0;
  bool lists_legal_actions_ = false;
  std::shared_ptr<const Interface> model_;
};

static_assert(HasChance<AnyDynamics> && PlaysUniformly<AnyDynamics>);

}  // namespace coffee_fast
