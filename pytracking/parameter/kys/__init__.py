"""Parameters of the KYS tracker."""
