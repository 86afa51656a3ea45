"""`python -m cmd_plugin`."""

from cmd_plugin.cli import entry

if __name__ == '__main__':
    entry()
