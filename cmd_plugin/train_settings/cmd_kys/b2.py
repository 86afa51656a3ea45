"""The recipe that this module's name stands for (see `cmd_plugin.recipes`)."""

from cmd_plugin.training import run_of

run = run_of(__name__)
