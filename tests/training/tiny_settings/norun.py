"""Has no run()."""
