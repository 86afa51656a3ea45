"""`python -m pytracking.benchmark`."""

from ltr.admin.errors import cli
from pytracking.benchmark import main

if __name__ == '__main__':
    cli(main)
