"""Parameters of the ToMP tracker."""
