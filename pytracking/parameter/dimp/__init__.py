"""Parameters of the DiMP tracker."""
