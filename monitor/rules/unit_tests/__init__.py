"""Unit tests of rule files in promtool's format, run by our own evaluator: same verdicts.

Stricter than promtool in two places where it passes in silence: an alert name that no rule has,
and a `rule_files` pattern that matches nothing, are failures here.
"""

from monitor.rules.unit_tests.report import check_rule_tests, print_report
from monitor.rules.unit_tests.run import Failure, Report, run_test_files

__all__ = ["Failure", "Report", "check_rule_tests", "print_report", "run_test_files"]
