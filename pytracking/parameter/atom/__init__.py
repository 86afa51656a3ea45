"""Parameters of the ATOM tracker."""
