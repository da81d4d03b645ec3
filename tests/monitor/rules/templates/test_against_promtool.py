"""The same templates, printed by Prometheus's own promtool."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.monitor.rules.templates.cases import FAILING, PRINTED, VALUE


def printed_by_promtool(templates: list[str], folder: Path) -> dict[str, str]:
    """Return each template's text, taken from the report of a test that cannot pass."""
    annotations = {f"a{number:03}": text for number, text in enumerate(templates)}
    rule = {"alert": "A", "expr": "v", "annotations": annotations}
    test = {
        "input_series": [{"series": 'v{i="a"}', "values": str(VALUE)}],
        "alert_rule_test": [
            {"eval_time": "0", "alertname": "A", "exp_alerts": [{"exp_labels": {"i": "x"}}]}
        ],
    }
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    (folder / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(folder / "test.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    got = (done.stdout + done.stderr).split("got:[")[1]
    found = re.findall(r'(a\d{3})=("(?:[^"\\]|\\.)*")', got)
    return {name: ast.literal_eval(text) for name, text in found}


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_prints_the_same(tmp_path: Path) -> None:
    """What the table expects of us is what Prometheus does, and it fails where we do."""
    texts = [text for text, _ in PRINTED] + FAILING
    printed = printed_by_promtool(texts, tmp_path)
    got = [printed.get(f"a{number:03}", "") for number in range(len(texts))]
    assert got[: len(PRINTED)] == [text for _, text in PRINTED]
    assert all(text.startswith("<error expanding template") for text in got[len(PRINTED) :])
