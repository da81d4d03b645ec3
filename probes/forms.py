"""HTML forms as a browser fills in and sends them.

A person's journey names what they would type; hidden inputs, defaults and the button's value come
from the page. Which controls count follows the HTML standard, "constructing the entry list":
https://html.spec.whatwg.org/#constructing-the-form-data-set
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from probes.failing import StepFailed
from probes.page import Page, squeeze, text_of
from probes.result import Reason

FieldValue = bool | str | tuple[str, ...]
Entry = tuple[str, str]

_BUTTONS = frozenset({"submit", "image"})
_NEVER = frozenset({"reset", "button"})
_CHECKED = frozenset({"checkbox", "radio"})


@dataclass(frozen=True)
class FilledForm:
    """What a form sends: where, how, and the entries in the order of the page."""

    method: str
    action: str
    encoding: str
    entries: tuple[Entry, ...]
    files: frozenset[str] = frozenset()


def fill_form(
    page: Page, form: LexborNode, fields: Mapping[str, FieldValue], button: LexborNode | None
) -> FilledForm:
    """Return what the form sends with the fields filled in and the button pressed.

    Raises:
        StepFailed: a field is not on the form, or cannot take its value.
    """
    controls = [control for control in _controls(page, form) if not _is_disabled(control)]
    _refuse_unknown_fields(controls, fields)
    pressed = button or next((c for c in controls if _kind(c) in _BUTTONS), None)
    entries: list[Entry] = []
    typed = dict(fields)
    for control in controls:
        entries += _entries(control, typed, pressed)
    source = pressed if pressed is not None else form
    method = (_own(source, "formmethod") or _own(form, "method") or "get").lower()
    files = frozenset(_own(c, "name") for c in controls if _kind(c) == "file")
    return FilledForm(
        method="POST" if method == "post" else "GET",
        action=_own(source, "formaction") or _own(form, "action"),
        encoding=(_own(source, "formenctype") or _own(form, "enctype")).lower(),
        entries=tuple(entries),
        files=files,
    )


def _own(node: LexborNode, name: str) -> str:
    """Return an attribute, empty where it is not there."""
    return node.attributes.get(name) or ""


def _kind(control: LexborNode) -> str:
    """Return what a control is: an input's or a button's type, else its tag."""
    tag = control.tag or ""
    if tag == "input":
        return (_own(control, "type") or "text").lower()
    if tag == "button":
        kind = (_own(control, "type") or "submit").lower()
        return kind if kind in _NEVER | _BUTTONS else "submit"
    return tag


def _controls(page: Page, form: LexborNode) -> Iterator[LexborNode]:
    """Yield the controls that belong to the form: inside it, or pointing to it by `form=`."""
    form_id = _own(form, "id")
    inside = {node.mem_id for node in form.css("input, select, textarea, button")}
    for node in page.find("input, select, textarea, button"):
        owner = node.attributes.get("form")
        is_inside = owner is None and node.mem_id in inside
        if is_inside or (owner is not None and form_id and owner == form_id):
            yield node


def _is_disabled(control: LexborNode) -> bool:
    """Whether the control takes no part: itself or a fieldset around it is disabled."""
    if "disabled" in control.attributes:
        return True
    child, parent = control, control.parent
    while parent is not None:
        if parent.tag == "fieldset" and "disabled" in parent.attributes:
            first = parent.css_first("legend")
            if not (child.tag == "legend" and first and first.mem_id == child.mem_id):
                return True
        child, parent = parent, parent.parent
    return False


def _refuse_unknown_fields(controls: list[LexborNode], fields: Mapping[str, FieldValue]) -> None:
    """Refuse to type into a field that is not there, as a person could not."""
    names = list(dict.fromkeys(name for c in controls if (name := _own(c, "name"))))
    for name in fields:
        if name not in names:
            there = ", ".join(names) or "none"
            raise StepFailed(
                Reason.EXTRACT,
                f"the form has no field {name!r}; its fields: {there[:400]}",
                f"a form with a field {name!r}",
            )


def _entries(
    control: LexborNode, typed: dict[str, FieldValue], pressed: LexborNode | None
) -> list[Entry]:
    """Return what one control adds to the form's data."""
    name, kind = _own(control, "name"), _kind(control)
    if kind in _BUTTONS:
        return _button_entries(control, name, kind, pressed)
    if not name or kind in _NEVER:
        return []
    value = typed.get(name)
    if kind == "select":
        return [(name, option) for option in _chosen(control, name, value)]
    if kind in _CHECKED:
        return _checked_entries(control, name, kind, value)
    if kind == "file":
        return [(name, "")]
    if name == "_charset_" and kind == "hidden":
        return [(name, "UTF-8")]
    return [(name, _text_value(control, name, typed, value))]


def _button_entries(
    control: LexborNode, name: str, kind: str, pressed: LexborNode | None
) -> list[Entry]:
    """Return the entry of the button that was pressed; other buttons send nothing."""
    if pressed is None or pressed.mem_id != control.mem_id:
        return []
    if kind == "image":
        dot = f"{name}." if name else ""
        return [(f"{dot}x", "0"), (f"{dot}y", "0")]
    return [(name, _own(control, "value"))] if name else []


def _text_value(
    control: LexborNode, name: str, typed: dict[str, FieldValue], value: FieldValue | None
) -> str:
    """Return what a text control holds; several controls of a name take a list's texts in turn."""
    if isinstance(value, bool):
        raise StepFailed(Reason.EXTRACT, f"the field {name!r} is no checkbox; give it text")
    if isinstance(value, tuple):
        if value:
            typed[name] = value[1:]
            return value[0]
        return _default_text(control)
    return _default_text(control) if value is None else value


def _default_text(control: LexborNode) -> str:
    """Return what the page put into a text control."""
    if control.tag == "textarea":
        text = control.text(deep=True).replace("\r\n", "\n").removeprefix("\n")
        return text.replace("\n", "\r\n")
    return _own(control, "value")


def _checked_entries(
    control: LexborNode, name: str, kind: str, value: FieldValue | None
) -> list[Entry]:
    """Return the entry of a checkbox or radio button that is, or has been, ticked."""
    own = control.attributes.get("value")
    own = "on" if own is None else own
    if value is None:
        ticked = "checked" in control.attributes
    elif isinstance(value, bool):
        ticked = value
    else:
        ticked = own in ((value,) if isinstance(value, str) else value)
    del kind
    return [(name, own)] if ticked else []


def _chosen(control: LexborNode, name: str, value: FieldValue | None) -> list[str]:
    """Return the values of the options that are chosen, by value or by what they say."""
    options = [option for option in control.css("option") if not _is_off(option)]
    if value is None:
        return _default_options(control, options)
    if isinstance(value, bool):
        raise StepFailed(Reason.EXTRACT, f"the field {name!r} is no checkbox; name an option")
    wanted = (value,) if isinstance(value, str) else value
    return [_option_named(options, name, each) for each in wanted]


def _default_options(control: LexborNode, options: list[LexborNode]) -> list[str]:
    """Return what the page has chosen: the selected ones, else the first where one must be."""
    selected = [_option_value(option) for option in options if "selected" in option.attributes]
    if "multiple" in control.attributes:
        return selected
    if selected:
        return selected[-1:]
    return [_option_value(options[0])] if options else []


def _option_named(options: list[LexborNode], name: str, wanted: str) -> str:
    """Return the value of the option of that value, else of that text."""
    for option in options:
        if _option_value(option) == wanted:
            return wanted
    for option in options:
        if text_of(option) == squeeze(wanted):
            return _option_value(option)
    there = ", ".join(_option_value(option) for option in options) or "none"
    raise StepFailed(
        Reason.EXTRACT,
        f"the field {name!r} offers no {wanted!r}; it offers: {there[:400]}",
        f"an option {wanted!r} in {name!r}",
    )


def _option_value(option: LexborNode) -> str:
    """Return what an option sends."""
    value = option.attributes.get("value")
    return (text_of(option) or "") if "value" not in option.attributes else value or ""


def _is_off(option: LexborNode) -> bool:
    """Whether an option, or the group around it, is disabled."""
    parent = option.parent
    in_group = parent is not None and parent.tag == "optgroup" and "disabled" in parent.attributes
    return "disabled" in option.attributes or in_group
