"""Settings package of the tests."""
