"""An import error of the settings file itself."""

import a_module_that_does_not_exist  # noqa: F401
