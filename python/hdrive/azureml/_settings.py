# SPDX-License-Identifier: Apache-2.0
"""What the classes of the API share: attributes that may be assigned and no others, and what is said of arguments."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from typing import Any

from ._errors import NotBuiltError, UserErrorException

__all__ = ["Settings", "count", "ignored", "nearest", "not_built", "refuse_others"]


def nearest(given: str, allowed: Iterable[str]) -> str:
    """What the end of an error says: the nearest of the allowed words, or all of them."""
    words = list(allowed)
    near = difflib.get_close_matches(given, words, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; allowed: {', '.join(words)}"


class Settings:
    """Attributes with defaults, to be assigned one by one. A name that there is none of is an error that names the
    nearest, as a setting that is misspelt would have no effect."""

    _sealed = False

    def __setattr__(self, name: str, value: Any) -> None:
        if self._sealed and not name.startswith("_") and not hasattr(self, name):
            own = [each for each in vars(self) if not each.startswith("_")]
            raise AttributeError(f"{type(self).__name__} has no {name!r}{nearest(name, own)}")
        object.__setattr__(self, name, value)

    def _seal(self) -> None:
        object.__setattr__(self, "_sealed", True)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items()
                          if not name.startswith("_") and value not in (None, {}, [], ""))
        return f"{type(self).__name__}({shown})"


def not_built(what: str, instead: str) -> NotBuiltError:
    """The error for a part of Azure ML that hdrive does not have."""
    return NotBuiltError(f"{what} is not there in hdrive; {instead}")


def ignored(where: str, given: dict[str, Any], why: str) -> None:
    """Warns of the arguments that were given, and mean nothing here."""
    names = [name for name, value in given.items() if value not in (None, False, "", [], {}, ())]
    if names:
        warnings.warn(f"{where}: {', '.join(names)} {'has' if len(names) == 1 else 'have'} no effect here: {why}",
                      stacklevel=3)


def refuse_others(where: str, given: dict[str, Any], allowed: Iterable[str]) -> None:
    """Raises for arguments that nobody knows."""
    for name in given:
        raise TypeError(f"{where} takes no {name!r}{nearest(name, allowed)}")


def count(what: str, given: Any, least: int = 1) -> int:
    """A whole number from `least` on."""
    import operator
    try:
        number = operator.index(given)
    except TypeError:
        raise UserErrorException(f"{what}: a whole number is wanted, not {given!r}") from None
    if number < least:
        raise UserErrorException(f"{what}: {number} is not allowed; from {least} on")
    return number
