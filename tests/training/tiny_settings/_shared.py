"""A shared part; not to be had by name."""


def run(settings: object) -> None:
    raise AssertionError('a shared part was run')
