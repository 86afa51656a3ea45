"""Parameters of the tracker `pocket`."""
