"""The main job on an embedded default: parent, control and distilled tracker on a generated world."""

from cmd_plugin.demo.run import run

__all__ = ['run']
