"""`python -m cmd_plugin detect`: boxes for the pseudo box `detection`, made once and read at every training."""
