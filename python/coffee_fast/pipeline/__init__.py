"""From a log of played games to strategies, their true-game regret and a report, in one resumable folder."""

from coffee_fast.pipeline.config import EvaluationConfig, RunConfig
from coffee_fast.pipeline.dataset_config import DatasetConfig
from coffee_fast.pipeline.listing import RunRecord, list_runs
from coffee_fast.pipeline.run import rewrite_report, run_pipeline
from coffee_fast.pipeline.summary import RunSummary

__all__ = [
    "DatasetConfig",
    "EvaluationConfig",
    "RunConfig",
    "RunRecord",
    "RunSummary",
    "list_runs",
    "rewrite_report",
    "run_pipeline",
]
