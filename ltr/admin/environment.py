"""Access to the settings of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin.errors import UserError
from ltr.admin.users_code import call_users, import_users, place_of

if TYPE_CHECKING:
    from ltr.admin.local import EnvironmentSettings

LOCAL = 'ltr.admin.local'


def env_settings() -> EnvironmentSettings:
    """The folders of this machine, with environment variables as they are now.

    `ltr/admin/local.py` belongs to the user and is never written by the toolkit.

    Raises:
        UserError: an error in that file, or a value in it that is no folder.
    """
    settings: EnvironmentSettings = call_users(LOCAL, 'EnvironmentSettings')
    check_folders(settings, LOCAL, needed=('workspace_dir', 'tensorboard_dir'))
    if not settings.workspace_dir:
        raise UserError(f'{place_of(LOCAL)}: workspace_dir is empty: give a folder')
    return settings


def environment_class() -> type:
    """The class that checkpoints name. Raises `UserError` as `env_settings`."""
    found = getattr(import_users(LOCAL), 'EnvironmentSettings', None)
    if not isinstance(found, type):
        raise UserError(f'{place_of(LOCAL)} lacks the class EnvironmentSettings: put it back')
    return found


def check_folders(settings: Any, module: str, needed: tuple[str, ...] = (), lists: tuple[str, ...] = ()) -> None:
    """Make sure that the attributes of an object that a user's file has made are paths, text or None.

    Args:
        settings: the object.
        module: the user's file.
        needed: attributes that must be there.
        lists: those that may also be lists of paths.

    Raises:
        UserError: one is missing or of another type.
    """
    for name in needed:
        if not hasattr(settings, name):
            raise UserError(f'{place_of(module)} does not set {name}: give a folder')
    for name, value in getattr(settings, '__dict__', {}).items():
        values = value if name in lists and isinstance(value, (list, tuple)) else [value]
        wrong = [one for one in values if not (one is None or isinstance(one, (str, Path)))]
        if wrong and name.endswith(('_dir', '_path', '_networks')):
            raise UserError(f'{place_of(module)}: {name} must be a path, not {str(wrong[0])[:60]!r} '
                            f'({type(wrong[0]).__name__})')
