"""Descriptions of two-branch components: all that distillation needs to know of a tracker."""

from cmd_plugin.components.base import Component, Features
from cmd_plugin.components.dimp import BBE, TCL

COMPONENTS: dict[str, Component] = {component.name: component for component in (TCL(), BBE())}

__all__ = ['BBE', 'COMPONENTS', 'TCL', 'Component', 'Features']
