"""What the command line does, as functions that programs can call too."""
