"""From images to network input and features."""
