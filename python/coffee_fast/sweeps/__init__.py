"""Many runs from one plan: local processes or a Ray cluster, gone on with after any interruption, one table."""

from coffee_fast.sweeps.folder import RunState
from coffee_fast.sweeps.plan import PlannedRun, SweepPlan
from coffee_fast.sweeps.schedule import SweepSummary, run_sweep, states

__all__ = ["PlannedRun", "RunState", "SweepPlan", "SweepSummary", "run_sweep", "states"]
