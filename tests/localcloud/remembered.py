"""What the emulators work out anew for each call although it never changes: remembered. A fifth of their time goes there.

Only what depends on its arguments alone: the grammar of DynamoDB's conditions, the statements of policies, the names of
moto's methods and modules. Nothing here changes an answer.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

import moto.backends
import moto.core.responses
from ministack.core import iam_evaluator
from ministack.services import dynamodb


def install() -> None:
    dynamodb._condition_syntax_error = functools.lru_cache(4096)(dynamodb._condition_syntax_error)
    dynamodb._tokenize = _fresh_lists(dynamodb._tokenize)
    iam_evaluator.parse_policy_document = _of_text(iam_evaluator.parse_policy_document)
    moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
    modules = frozenset(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: modules


def _fresh_lists(function: Callable[[str], list]) -> Callable[[str], list]:
    """Remembers a list, and hands out copies, since a caller may change what it got."""
    known = functools.lru_cache(4096)(lambda text: tuple(function(text)))
    return lambda text: list(known(text))


def _of_text(function: Callable[[Any], list]) -> Callable[[Any], list]:
    """The same for policies, which come as text or already read."""
    known = _fresh_lists(function)
    return lambda policy: known(policy) if isinstance(policy, str) else function(policy)
