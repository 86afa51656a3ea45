"""Everything around training that is not learning: paths, plugins, checkpoints, errors."""
