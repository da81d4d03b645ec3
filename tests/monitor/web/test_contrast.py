"""The colours of `base.css`: every text and shape can be told from what it stands on."""

from __future__ import annotations

import re

import pytest

from monitor.web.static_files import FOLDER

TONES = ("good", "minor", "major", "critical", "planned", "unknown")
TEXTS = [("text", on) for on in ("page", "surface", "sunken")]
TEXTS += [("quiet", on) for on in ("page", "surface", "sunken")]
TEXTS += [("accent", on) for on in ("page", "surface", "accent-soft")]
TEXTS += [("accent-text", "accent"), ("text", "accent-soft")]
TEXTS += [(tone, on) for tone in TONES for on in ("page", "surface", f"{tone}-soft")]
TEXTS += [("text", f"{tone}-soft") for tone in TONES]
PHASES = ("dns", "connect", "tls", "first-byte", "transfer")
SHAPES = [("edge", "surface"), ("edge", "page"), ("focus", "page"), ("focus", "surface")]
SHAPES += [("edge", "sunken"), ("accent", "accent-soft"), ("accent", "sunken")]
SHAPES += [(tone, "sunken") for tone in TONES]
SHAPES += [(f"phase-{phase}", "sunken") for phase in PHASES]


def palettes() -> dict[str, dict[str, str]]:
    """Return the tokens of the light and of the dark scheme."""
    css = (FOLDER / "base.css").read_text("utf-8")
    light, dark = css.split("prefers-color-scheme: dark", 1)
    find = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
    return {"light": dict(find.findall(light)), "dark": dict(find.findall(dark.split("}\n}")[0]))}


def luminance(colour: str) -> float:
    """Return the relative luminance: WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("colour", "on", "least"), [(*p, 4.5) for p in TEXTS] + [(*p, 3.0) for p in SHAPES]
)
def test_contrast_is_enough_in_both_schemes(
    scheme: str, colour: str, on: str, least: float
) -> None:
    """4.5 : 1 for text, 3 : 1 for shapes and borders (WCAG 2.2, 1.4.3 and 1.4.11)."""
    tokens = palettes()[scheme]
    bright, dim = sorted((luminance(tokens[colour]), luminance(tokens[on])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= least
