"""What is doubtful in rule files that load: checks that need no server.

The list follows pint (https://cloudflare.github.io/pint/checks/), as far as it can be told from
the files alone. A finding is advice; what would not work is a fault and found by `files`.
"""

from monitor.rules.lint.run import Finding, LintSettings, lint

__all__ = ["Finding", "LintSettings", "lint"]
