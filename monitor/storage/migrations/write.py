"""Writes the migration that leads from the newest one to the schema as the code has it.

    python -m monitor.storage.migrations.write "what it is for"

Read what it wrote before you commit it: renames look like a loss and a gain. `--again` writes the
newest migration anew, for as long as nobody has applied it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.script import ScriptDirectory
from sqlalchemy.sql.elements import False_

from monitor.storage.engine import WRITES, alembic_configuration, open_engine
from monitor.storage.types import UtcDateTime

VERSIONS = Path(__file__).with_name("versions")


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Return how our own types and defaults are written in a migration; False for all others."""
    if kind == "server_default" and isinstance(getattr(item, "arg", None), False_):
        return "sa.false()"  # each database has its own word
    if kind == "type" and isinstance(item, UtcDateTime):
        context.imports.add("from monitor.storage import types")
        return "types.UtcDateTime()"
    if kind == "type" and repr(item).startswith("JSON"):
        return "types.Json"
    if kind == "type" and repr(item).startswith("BigInteger"):
        return "types.BigId"
    return False


def write(message: str, *, again: bool = False) -> Path:
    """Write one migration and return where."""
    configuration = alembic_configuration()
    script = ScriptDirectory.from_config(configuration)
    newest = script.get_revision("head")
    if again and newest is not None:
        Path(newest.path).unlink()
    number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/empty.db")
        writer = engine.execution_options(**{WRITES: True})
        with writer.begin() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            made = command.revision(
                configuration, message, autogenerate=True, rev_id=f"{number:04d}"
            )
        engine.dispose()
    assert made is not None
    assert not isinstance(made, list)
    return Path(made.path)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--again"]
    print(write(" ".join(words) or "Change the schema", again="--again" in sys.argv))
