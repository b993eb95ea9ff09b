"""What a sweep found: the paper's tables and figures, from its table of results."""

from coffee_fast.reports.results import SweepResults, read_results
from coffee_fast.reports.sweep import SweepReport, report_sweep

__all__ = ["SweepReport", "SweepResults", "read_results", "report_sweep"]
