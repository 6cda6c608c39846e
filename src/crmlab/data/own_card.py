"""The card that a user may lay beside the tables: ``card.yaml``.

Who asks: the loader of one's own data ("in which currency, observed when, under which licence?").
"""

from __future__ import annotations

import datetime
from pathlib import Path

from crmlab.atlas import LANGUAGES
from crmlab.atlas.sentences import near, say

__all__ = ["check_card", "read_yaml"]


def check_card(path: Path, values: object) -> dict:
    """Return the values of a user's card: known keys, texts in both languages, days, a currency."""
    texts = ("title", "summary", "origin", "licence", "prepared")
    keys = (*texts, "citation", "doi", "currency", "time_zone", "observed_from", "observed_to")
    if not isinstance(values, dict):
        raise ValueError(say("yaml_no_keys", path=path, keys=keys))
    checked = {}
    for key, value in values.items():
        if key not in keys:
            raise ValueError(
                say("card_key", path=path, name=repr(key), near=near(key, keys), keys=keys)
            )
        if value is None:  # a key with nothing after it says nothing
            continue
        if key in texts:
            value = dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value
            if not isinstance(value, dict) or set(value) != set(LANGUAGES):
                raise ValueError(say("card_text", path=path, name=key, value=repr(value)))
        elif key.startswith("observed_"):
            if type(value) is not datetime.date:
                raise ValueError(say("card_day", path=path, name=key, value=repr(value)))
        elif key == "currency":
            if not (isinstance(value, str) and len(value) == 3 and value.isupper()):
                raise ValueError(say("card_currency", path=path, value=repr(value)))
        elif key == "time_zone":
            _check_zone(path, value)
        else:
            value = str(value)
        checked[key] = value
    return checked


def _check_zone(path: Path, zone: object) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (TypeError, ValueError, OSError, LookupError):
        raise ValueError(say("card_zone", path=path, value=repr(zone))) from None


def read_yaml(path: Path) -> dict:
    """Return what a YAML file holds, or refuse it by name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=loader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(say("yaml_damaged", path=path, error=error)) from None
