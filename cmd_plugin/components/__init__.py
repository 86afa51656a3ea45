"""Descriptions of two-branch components: all that distillation needs to know of a tracker."""

from cmd_plugin.components.base import Component, Features
from cmd_plugin.components.dimp import BBE, TCL
from cmd_plugin.components.prdimp import DensityBBE, DensityTCL
from cmd_plugin.components.tomp import Joint

__all__ = ['BBE', 'TCL', 'Component', 'DensityBBE', 'DensityTCL', 'Features', 'Joint']
