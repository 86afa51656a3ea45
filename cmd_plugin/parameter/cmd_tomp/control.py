"""The network that this module's name stands for (see `cmd_plugin.selection`)."""

from cmd_plugin.selection import parameters_of

parameters = parameters_of(__name__)
