"""What a run found, as a page for newcomers; what a sweep found, as the paper's tables and figures."""

from coffee_fast.reports.results import SweepResults, read_results
from coffee_fast.reports.sweep import SweepReport, report_sweep

__all__ = ["SweepReport", "SweepResults", "read_results", "report_sweep"]
