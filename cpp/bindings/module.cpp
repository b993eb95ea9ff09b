#include "pybind.hpp"

// In a subinterpreter pybind11 waits for ever for a lock that the caller holds, so its entry point gets another name
// and ours asks first.
#define PyInit__core coffee_fast_init_core
PYBIND11_MODULE(_core, module) {
  using namespace coffee_fast::bindings;
  module.doc() = "The compiled kernels of coffee_fast; each has a NumPy twin in coffee_fast._reference.";
  bind_errors(module);
  bind_build_info(module);
  bind_rng(module);
  bind_mlp(module);
  bind_simplex(module);
  bind_payoff_table(module);
  bind_replicator(module);
  bind_policy(module);
  bind_any_dynamics(module);
  bind_python_dynamics(module);
  bind_generalized_bargaining(module);
  bind_dynamics_ensemble(module);
  bind_game_tree(module);
  bind_rollout(module);
  bind_empirical_game(module);
  bind_actor(module);
  bind_q_network(module);
  bind_episodes(module);
  bind_experience(module);
  bind_policy_learner(module);
  bind_anchored(module);
  bind_stage_games(module);
  bind_risk_averse(module);
  bind_robust_expectation(module);
}
#undef PyInit__core

extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return coffee_fast_init_core();
  PyErr_SetString(PyExc_ImportError,
                  "coffee_fast works in the main interpreter only, not in a subinterpreter; use processes, or threads: "
                  "its kernels run beside each other in them");
  return nullptr;
}
