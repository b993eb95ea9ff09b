"""From a log of played games to strategies, their true-game regret and a report, in one resumable folder."""

from coffee_fast.pipeline.config import DatasetConfig, EvaluationConfig, RunConfig
from coffee_fast.pipeline.run import RunSummary, rewrite_report, run_pipeline

__all__ = ["DatasetConfig", "EvaluationConfig", "RunConfig", "RunSummary", "rewrite_report", "run_pipeline"]
