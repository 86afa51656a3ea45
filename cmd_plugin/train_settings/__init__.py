"""Train settings that the plugin adds to the trainer."""
