"""Files that users edit (`local.py`, settings, parameters): a mistake in one is told in one line, with its place."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ltr.admin.errors import UserError


def import_users(module: str) -> ModuleType:
    """Import a module that a user has written.

    Raises:
        UserError: an error in it while it is imported.
        ImportError: as it is: something that it needs is not there.
    """
    try:
        return importlib.import_module(module)
    except (UserError, ImportError):
        raise
    except Exception as error:  # whatever a file may raise
        raise UserError(told(module, error)) from error


def call_users(module: str, name: str) -> Any:
    """What the function or class `name` of a user's module gives.

    Raises:
        UserError: an error while it is imported or called, a missing import too, or there is no such name.
    """
    try:
        function: Callable[[], Any] = getattr(importlib.import_module(module), name)
        return function()
    except UserError:
        raise
    except Exception as error:  # whatever a file may raise
        raise UserError(told(module, error)) from error


def told(module: str, error: Exception) -> str:
    """One line: the file, the line in it, the error, the cure."""
    file = place_of(module)
    if isinstance(error, SyntaxError) and error.filename:
        place, reason = f'{error.filename}, line {error.lineno}', error.msg
    else:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        place = f'{file}, line {lines[-1]}' if lines else file
        reason = str(error)
    reason = ' '.join(str(reason).split())[:200]
    return f'{place}: {type(error).__name__}: {reason}; correct that file, nothing in it was changed'


def place_of(module: str) -> str:
    """The file of a module, for messages."""
    known = sys.modules.get(module)
    if known is not None and getattr(known, '__file__', None):
        return str(known.__file__)
    spec = importlib.util.find_spec(module)
    return spec.origin if spec and spec.origin else module
