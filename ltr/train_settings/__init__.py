"""Stock train settings: packages of modules with a function `run(settings)`."""
