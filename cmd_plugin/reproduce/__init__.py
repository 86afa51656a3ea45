"""The claim of the method, tried on real thermal video: parent, children, controls, one honest test; one command."""
